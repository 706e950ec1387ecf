// A worker by hand (docs/reference/worker-protocol.md): it ends attempts when the measurement says so.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export class Worker {
  constructor(server, type, slots) {
    this.server = server;
    this.type = type;
    this.slots = slots;
    this.token = readFileSync(join(server.dataDir, "worker-token"), "utf8").trim();
  }

  async call(method, path, body) {
    const response = await fetch(this.server.url + path, { method, headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" }, body: JSON.stringify(body ?? {}) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }

  async register() {
    const { worker_id } = await this.call("POST", "/api/workers/", { name: "bench", slots: this.slots, pid: process.pid, host: "bench", task_types: [{ type: this.type }] });
    this.id = worker_id;
    return this;
  }

  exchange(body) {
    return this.call("POST", `/api/workers/${this.id}/exchange/`, body);
  }

  /** Ends `count` attempts, `rate` a second, and takes new ones as they come; resolves with the seconds it took. */
  async endAtRate(rate, count) {
    const held = [];
    const started = performance.now();
    for (let ended = 0; ended < count; ) {
      const due = Math.min(count - ended, Math.floor(((performance.now() - started) / 1000) * rate) - ended, held.length);
      const results = held.splice(0, Math.max(0, due)).map((lease) => ({ lease, result: { ok: true } }));
      const { leases } = await this.exchange({ results, max: this.slots - held.length, wait_seconds: 0 });
      ended += results.length;
      held.push(...leases.map(({ lease }) => lease));
      await new Promise((done) => setTimeout(done, 10));
    }
    return (performance.now() - started) / 1000;
  }

  close() {
    return this.call("DELETE", `/api/workers/${this.id}/`);
  }
}
