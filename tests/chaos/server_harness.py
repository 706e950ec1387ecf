"""What the fault tests of the server share: the effect sink, clients that keep an operation log (ok, fail, info: unknown outcome), the
oracle that reads the data directory afterwards, and the figures each test leaves behind."""

import collections
import http.client
import importlib.util
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = os.environ["FLOWPILOT_BIN"]
LONG = int(os.environ.get("FLOWPILOT_CHAOS_CYCLES", "0"))  # 0: the short form
SEED = int(os.environ.get("FLOWPILOT_CHAOS_SEED", "1"))
FIGURES = Path(os.environ.get("FLOWPILOT_FAULT_FIGURES", Path(BIN).parent / "fault-figures.jsonl"))


def load_e2e():
    """tests/e2e/harness.py under a name of its own: this folder has a harness too."""
    spec = importlib.util.spec_from_file_location("e2e_harness", ROOT / "tests/e2e/harness.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["e2e_harness"] = module
    spec.loader.exec_module(module)
    return module


E2E = load_e2e()
Client, Server, WebSocket, step = E2E.Client, E2E.Server, E2E.WebSocket, E2E.step
LOST = (OSError, http.client.HTTPException)

CHILD = {
    "name": "Child",
    "steps": [
        step("a", "http_request", {"method": "POST", "url": "{{ vars.url }}/echo/child", "json": {"n": 1}}),
        step("b", "delay", {"seconds": 0.02}, depends_on=["a"]),
    ],
    "output": "{{ steps.a.output.status_code }}",
}
# Effects, items, JavaScript, a delay, a child, a value that goes to the blob store.
LOAD = {
    "name": "Load",
    "steps": [
        step("first", "http_request", {"method": "POST", "url": "{{ vars.url }}/echo/first", "json": {"n": 1}}),
        step(
            "list", "set", {"values": "{{ Array.from({length: 4}, (_, i) => 'x'.repeat(20000) + i + execution.id) }}"}, depends_on=["first"]
        ),
        step(
            "each",
            "http_request",
            {"method": "POST", "url": "{{ vars.url }}/echo/item", "json": {"i": "{{ index }}"}},
            depends_on=["list"],
            for_each="{{ steps.list.output }}",
            retry_config={"max_attempts": 4, "initial_delay_seconds": 0.05},
        ),
        step("pause", "delay", {"seconds": 0.05}, depends_on=["first"]),
        step("child", "workflow", {"workflow": "Child"}, depends_on=["pause"]),
        step("done", "http_request", {"method": "POST", "url": "{{ vars.url }}/echo/done", "json": {"n": 1}}, depends_on=["each", "child"]),
    ],
    "output": "{{ steps.child.output }}",
}
EFFECTS = {"first": 1, "each": 4, "done": 1}
TERMINAL = ("completed", "failed", "cancelled")


def needs_strace() -> None:
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True) if shutil.which("strace") else None
    if tried is None or tried.returncode != 0:
        raise unittest.SkipTest("strace is not installed or may not attach")


def quantile(values: list[float], q: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 3) if ordered else 0.0


class OpLog:
    """What clients asked and what they know of it. An `info` is asked again with its key until it is known."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ok: dict[str, str] = {}
        self.info: dict[str, dict] = {}  # with the body, to ask the same again
        self.fail: dict[str, str] = {}
        self.seconds: list[float] = []
        self.acked_at: list[tuple[float, float]] = []  # sent, acknowledged

    def start(self, client: Client, workflow: str, key: str, body=None) -> str | None:
        sent = time.time()
        try:
            reply = client.post(f"/api/workflows/{workflow}/run/", body or {}, headers={"Idempotency-Key": key})
        except LOST:
            with self.lock:
                self.info[key] = body or {}
            raise
        with self.lock:
            if reply.status in (200, 202):
                self.ok[key] = reply.json["id"]
                self.info.pop(key, None)
                self.seconds.append(time.time() - sent)
                self.acked_at.append((sent, time.time()))
            elif reply.status >= 500:
                self.info[key] = body or {}
            else:
                self.fail[key] = reply.code
        return self.ok.get(key)

    def figures(self) -> dict:
        return {"ok": len(self.ok), "fail": len(self.fail), "info": len(self.info)}


class Load:
    """Threads that start executions as fast as they are answered, whatever happens to the server."""

    def __init__(self, test: "ServerFaultTest", workflow: str, threads: int = 4) -> None:
        self.test, self.workflow, self.log = test, workflow, OpLog()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def run(self) -> None:
        while not self.over.is_set():
            self.test.up.wait(60)
            port = self.test.server.port
            client = Client(port, timeout=30)
            try:
                while not self.over.is_set():
                    self.log.start(client, self.workflow, str(uuid.uuid4()))
            except LOST:
                if self.test.server.port == port:
                    self.over.wait(0.005)  # the port is gone; the next server has another
            finally:
                client.close()


class ServerFaultTest(unittest.TestCase):
    """One sink for the class; a fresh data directory and server for each test."""

    @classmethod
    def setUpClass(cls) -> None:
        # The sink is no part of what is tested: in memory, where its own fsyncs cost nothing.
        cls.sink_folder = Path(tempfile.mkdtemp(prefix="flowpilot-sink-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        cls.sink = cls.sink_folder / "received.jsonl"
        cls.services = subprocess.Popen(
            [sys.executable, "-B", str(ROOT / "examples/demo_services.py"), "--sink", str(cls.sink)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )  # it says who hung up on it
        cls.url = f"http://127.0.0.1:{json.loads(cls.services.stdout.readline())['http_port']}"

    @classmethod
    def tearDownClass(cls) -> None:
        cls.services.kill()
        cls.services.wait(10)
        cls.services.stdout.close()
        shutil.rmtree(cls.sink_folder, ignore_errors=True)

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowpilot-fault-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"
        self.server: Server | None = None
        self.traced = False
        self.up = threading.Event()
        self.dice = random.Random(SEED)
        self.seen = self.effects()
        self.addCleanup(self.kill)
        self.began = time.monotonic()

    def serve(self, *arguments: str, wrap=(), data: Path | None = None, **environment: str) -> float:
        """Starts the server; returns the seconds until it was ready."""
        self.kill()
        self.traced = "strace" in wrap
        begin = time.monotonic()
        self.server = Server(
            data or self.data, "--allow-address", "127.0.0.1", "--var", f"url={self.url}", *arguments, wrap=wrap, env=environment
        )
        self.up.set()
        return time.monotonic() - begin

    def refused(self, data: Path) -> subprocess.CompletedProcess:
        """Starts a server that is expected to end by itself."""
        return subprocess.run([BIN, "serve", "--port", "0", "--data-dir", str(data)], capture_output=True, text=True, timeout=30)

    def end(self, number: int) -> int:
        """Sends the signal to the server itself, below strace too."""
        self.up.clear()
        process = self.server.process
        if process.poll() is None and self.traced:
            for child in children_of(process.pid):
                os.kill(child, number)
            process.wait(60)
        return process.returncode if self.server.log.closed else self.server.stop(number)

    def kill(self) -> None:
        if self.server is not None:
            self.end(signal.SIGKILL)

    def stop(self) -> int:
        return self.end(signal.SIGTERM)

    def client(self) -> Client:
        client = self.server.client()
        self.addCleanup(client.close)
        return client

    def create(self, document: dict) -> str:
        client = self.client()
        made = client.post("/api/workflows/", document)
        self.assertEqual(made.status, 201, made.body)
        published = client.post(f"/api/workflows/{made.json['id']}/publish/")
        self.assertEqual(published.status, 200, published.body)
        return made.json["id"]

    def create_load(self) -> str:
        self.create(CHILD)
        return self.create(LOAD)

    def settle(self, log: OpLog | None = None, workflow: str = "") -> int:
        """Asks again for what has an unknown outcome, resumes what was set aside, and waits until everything has ended. Returns how many
        had been set aside."""
        client = self.client()
        for key, body in list(log.info.items()) if log else []:
            log.start(client, workflow, key, body)
        aside = 0
        deadline = time.monotonic() + 120
        while True:
            self.assertLess(time.monotonic(), deadline, "something stays unfinished")
            paused = client.get("/api/executions/?status=paused&limit=200").json["results"]
            for execution in paused:
                self.assertEqual(execution["error_code"], "execution.quarantined", execution)
                client.post(f"/api/executions/{execution['id']}/resume/")
            aside += len(paused)
            if client.get("/api/executions/?status=pending,running,waiting,paused&limit=1").json["count"] == 0:
                return aside

    # The oracle.

    def query(self, sql: str) -> list[tuple]:
        database = sqlite3.connect(self.data / "flowpilot.db")
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def journals(self) -> dict[int, list[dict]]:
        out = collections.defaultdict(list)
        for number, events in self.query("SELECT execution, events FROM journal ORDER BY execution, first_seq"):
            out[number].extend(json.loads(events))
        return out

    def effects(self) -> collections.Counter:
        """How often each idempotency key reached the sink."""
        counted: collections.Counter = collections.Counter()
        if self.sink.exists():
            for line in self.sink.read_text(encoding="utf-8").splitlines():
                counted[json.loads(line)["key"]] += 1
        return counted

    def verify(self) -> None:
        verified = subprocess.run([BIN, "verify", "--data-dir", str(self.data)], capture_output=True, text=True, timeout=120)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def audit(self, log: OpLog, name: str = "Load", effects: dict | None = EFFECTS) -> dict:
        """After the server has ended: I1 to I5 and I7. Returns lost, duplicated, stuck (all 0) and how many effects were repeated."""
        rows = self.query("SELECT lower(hex(id)), workflow_name, status FROM executions")
        ids = {str(uuid.UUID(raw)): (workflow, status) for raw, workflow, status in rows}
        lost = [execution for execution in log.ok.values() if execution not in ids]
        self.assertEqual(lost, [], "acknowledged and gone")
        self.assertEqual(log.info, {}, "still unknown")
        started = [execution for execution, (workflow, _) in ids.items() if workflow == name]
        self.assertEqual(
            sorted(started), sorted(log.ok.values()), "executions beside what clients know of: a key was used twice, or by nobody"
        )
        self.assertEqual([row for row in ids.items() if row[1][1] != "completed"], [], "not completed")
        for events in self.journals().values():
            self.check_journal(events)
        self.verify()
        repeated = self.check_effects(started, effects) if effects else 0
        return {"lost": 0, "duplicated": 0, "stuck": 0, "effects_repeated_with_the_same_key": repeated}

    def check_journal(self, events: list[dict]) -> None:
        recorded, ended = set(), 0
        for event in events:
            task = (event.get("step"), event.get("item"))
            if event["type"] == "attempt_scheduled":
                self.assertNotIn(task, recorded, "a recorded step ran again")
            if event["type"] in ("task_completed", "task_failed"):
                recorded.add(task)
            ended += event["type"] in ("execution_completed", "execution_failed", "execution_cancelled")
        self.assertLessEqual(ended, 1, "it ended twice")

    def check_effects(self, executions: list[str], wanted: dict) -> int:
        new = self.effects() - self.seen
        by_execution = collections.defaultdict(collections.Counter)
        for key in new:
            by_execution[key[:36]][key[37:].split("-")[0]] += 1
        for execution in executions:
            self.assertEqual(by_execution[execution], wanted, f"effects of {execution}")
        return sum(count - 1 for count in new.values())

    def name(self) -> str:
        return f"{Path(sys.modules[type(self).__module__].__file__).stem}.{type(self).__name__}.{self._testMethodName}"

    def report(self, fault: str, what: str, **figures) -> None:
        seconds = round(time.monotonic() - self.began, 1)
        line = {"test": self.name(), "fault": fault, "what": what, "seed": SEED, "seconds": seconds, **figures}
        note_down(line)
        print(json.dumps(line), flush=True)

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """A test that is skipped leaves its reason, so that the report can name it."""
        out = super().run(result)
        for test, reason in out.skipped if out else []:
            if test is self:
                note_down({"test": self.name(), "fault": self.name().split(".test_")[1].split("_")[0].upper(), "skipped": reason})
        return out


def note_down(line: dict) -> None:
    with open(FIGURES, "a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


def memory_peak(pid: int) -> float:
    """Megabytes; the server is the process itself."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return 0.0


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="utf-8")


def children_of(pid: int) -> list[int]:
    out = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        out += [int(child) for child in (task / "children").read_text(encoding="utf-8").split()]
    return out
