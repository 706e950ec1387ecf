// The real server with the built page, and a real Chromium on it. No sleeps: everything waits for what a person would see.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const root = resolve(import.meta.dirname, "../..");
const binary = process.env.FLOWPILOT_BIN ?? join(root, "build/test/flowpilot");

export class Server {
  constructor(dataDir = mkdtempSync(join(tmpdir(), "flowpilot-web-")), options = []) {
    this.dataDir = dataDir;
    this.options = options;
    this.port = 0;
  }

  /** Starts, on the port it had before if any; resolves when it is ready. */
  async start() {
    this.process = spawn(binary, ["serve", "--dev", "--port", String(this.port), "--data-dir", this.dataDir, ...this.options], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    await new Promise((done, failed) => {
      const listen = (chunk) => {
        text += chunk;
        const found = /"url":"http:\/\/127\.0\.0\.1:(\d+)"|ready at http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
        if (!found) return;
        this.port = Number(found[1] ?? found[2]);
        done();
      };
      this.process.stdout.on("data", listen);
      this.process.stderr.on("data", listen);
      this.process.on("exit", (code) => failed(new Error(`the server ended with ${code}: ${text}`)));
    });
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async kill(signal = "SIGKILL") {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill(signal);
    await ended;
  }

  async stop() {
    await this.kill("SIGTERM");
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async api(method, path, body) {
    const response = await fetch(this.url + path, { method, headers: body ? { "content-type": "application/json" } : {}, ...(body ? { body: JSON.stringify(body) } : {}) });
    const answer = response.status === 204 ? null : await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  create(document) {
    return this.api("POST", "/api/workflows/?allow_invalid=true", document);
  }
}

const quietFlags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const codeField = (page, label) => page.locator(`[data-label^="${label}"]`).locator(".cm-content");

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", args: quietFlags });
}

/** A page that fails the test when it throws, logs an error, breaks the content security policy or asks anybody else for anything. */
export async function openPage(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  const page = await context.newPage();
  const wrongs = [];
  page.on("pageerror", (error) => wrongs.push(`page error: ${error.stack}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(message.text())) wrongs.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !/^(data|blob|about):/.test(request.url())) wrongs.push(`asked somebody else: ${request.url()}`);
  });
  page.setDefaultTimeout(20_000);
  return { page, context, wrongs };
}

export const node = (page, name) => page.locator(".react-flow__node", { has: page.locator(".node-name", { hasText: new RegExp(`^${name}$`) }) });
export const saved = (page) => page.locator(".saved", { hasText: /^Saved$/ }).waitFor();
