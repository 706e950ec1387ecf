"""What the fault tests share: the binary, the effect sink, and the oracle that reads the journal afterwards."""
import collections
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = os.environ["FLOWPILOT_BIN"]
CYCLES = int(os.environ.get("FLOWPILOT_CHAOS_CYCLES", "50"))
SEED = int(os.environ.get("FLOWPILOT_CHAOS_SEED", "1"))

# Everything that can be under way when a process dies: items, retries, delays, children, JavaScript, large values, blobs.
LOAD = """
name: Load
steps:
  - {id: first, step_type: http_request, config: {method: POST, url: "{{ vars.url }}/echo/first", json: {n: "{{ input.n }}"}}}
  - {id: list, step_type: set, depends_on: [first], config: {values: "{{ Array.from({length: input.n}, (_, i) => i) }}"}}
  - id: each
    step_type: http_request
    depends_on: [list]
    for_each: "{{ steps.list.output }}"
    max_parallel: 8
    config: {method: POST, url: "{{ vars.url }}/echo/item", json: {item: "{{ item }}", double: "{{ item * 2 }}"}}
    retry_config: {max_attempts: 4, initial_delay_seconds: 0.05}
  - {id: pause, step_type: delay, depends_on: [first], config: {seconds: 0.05}}
  - {id: child, step_type: workflow, depends_on: [pause], config: {workflow: Child, input: {n: "{{ input.n }}"}}}
  - {id: flaky, step_type: http_request, depends_on: [first], config: {method: POST, url: "{{ vars.url }}/fail/2/flaky", json: {}}, retry_config: {max_attempts: 6, initial_delay_seconds: 0.05}}
  - {id: big, step_type: map, depends_on: [list], config: {items: "{{ steps.list.output }}", value: "{{ 'x'.repeat(4000) + item }}"}}
  - {id: bigger, step_type: map, depends_on: [big], config: {items: "{{ steps.list.output }}", value: "{{ 'y'.repeat(4000) + item }}"}}
  - {id: biggest, step_type: map, depends_on: [bigger], config: {items: "{{ steps.list.output }}", value: "{{ 'z'.repeat(4000) + item }}"}}
  - {id: done, step_type: http_request, depends_on: [each, child, flaky, biggest], config: {method: POST, url: "{{ vars.url }}/echo/done", json: {items: "{{ steps.each.output.length }}"}}}
output: {items: "{{ steps.each.output.length }}", child: "{{ steps.child.output }}", big: "{{ steps.big.output.length }}"}
"""
CHILD = """
name: Child
steps:
  - {id: a, step_type: http_request, config: {method: POST, url: "{{ vars.url }}/echo/child", json: {n: "{{ input.n }}"}}}
  - {id: b, step_type: delay, depends_on: [a], config: {seconds: 0.02}}
output: "{{ steps.a.output.status_code }}"
"""


class FaultTest(unittest.TestCase):
    """One sink for the class; a fresh folder for each test."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.sink_folder = tempfile.mkdtemp(prefix="flowpilot-sink-")
        cls.sink = Path(cls.sink_folder) / "received.jsonl"
        cls.services = subprocess.Popen([sys.executable, "-B", str(ROOT / "examples/demo_services.py"), "--sink", str(cls.sink)],
                                        stdout=subprocess.PIPE, text=True)
        ready = json.loads(cls.services.stdout.readline())
        cls.url = ready["http_url"] if "http_url" in ready else f"http://127.0.0.1:{ready['http_port']}"

    @classmethod
    def tearDownClass(cls) -> None:
        cls.services.terminate()
        cls.services.wait(10)
        cls.services.stdout.close()
        shutil.rmtree(cls.sink_folder, ignore_errors=True)

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowpilot-crash-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "load.yaml").write_text(LOAD, encoding="utf-8")
        (self.folder / "child.yaml").write_text(CHILD, encoding="utf-8")
        self.data = self.folder / "data"

    def run_command(self, items: int) -> list[str]:
        return [BIN, "run", str(self.folder / "load.yaml"), "--input", f"n={items}", "--var", f"url={self.url}", "--data-dir", str(self.data)]

    def resume_command(self) -> list[str]:
        return [BIN, "run", "--resume", "--data-dir", str(self.data)]

    def call(self, command: list[str], **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})

    def kill_after(self, command: list[str], seconds: float) -> bool:
        """True when the process was still there to be killed."""
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(seconds)
                return False
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                return True

    def finish(self) -> None:
        """Resumes until nothing is unfinished; what was quarantined by all the killing is resumed by name."""
        for _ in range(10):
            done = self.call(self.resume_command())
            self.assertIn(done.returncode, (0, 1), done.stderr)  # 1: something was set aside
            open_ids = [row[0] for row in self.query("SELECT lower(hex(id)) FROM executions WHERE status NOT IN ('completed', 'failed', 'cancelled')")]
            if not open_ids:
                return
            for raw in open_ids:
                name = "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
                done = self.call([*self.resume_command()[:3], name, *self.resume_command()[3:]])
                self.assertEqual(done.returncode, 0, done.stderr)
        self.fail("something stays unfinished")

    def query(self, sql: str) -> list[tuple]:
        if not (self.data / "flowpilot.db").exists():
            return []
        database = sqlite3.connect(self.data / "flowpilot.db")
        try:
            return database.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []  # it died before its first migration
            raise
        finally:
            database.close()

    def journals(self) -> dict[int, list[dict]]:
        out = collections.defaultdict(list)
        for number, events in self.query("SELECT execution, events FROM journal ORDER BY execution, first_seq"):
            out[number].extend(json.loads(events))
        return out

    def check_oracle(self, expected_executions: int) -> None:
        """Every execution completed, no recorded step ran again, every effect has its one key, the store is sound."""
        states = self.query("SELECT workflow_name, status FROM executions")
        self.assertEqual([state for state in states if state[1] != "completed"], [])
        self.assertEqual(sum(1 for state in states if state[0] == "Load"), expected_executions)
        for events in self.journals().values():
            recorded = set()
            for event in events:
                task = (event.get("step"), event.get("item"))
                if event["type"] == "attempt_scheduled":
                    self.assertNotIn(task, recorded, "a recorded step ran again")
                if event["type"] in ("task_completed", "task_failed"):
                    recorded.add(task)
        verified = self.call([BIN, "verify", "--data-dir", str(self.data)])
        self.assertEqual(verified.returncode, 0, verified.stdout)

    def effects(self) -> collections.Counter:
        """How often each idempotency key reached the sink."""
        counted: collections.Counter = collections.Counter()
        for line in self.sink.read_text(encoding="utf-8").splitlines():
            counted[json.loads(line)["key"]] += 1
        return counted

    def check_effects(self, before: collections.Counter, items: int) -> int:
        """The sink saw each task of the execution, under its own key; returns how many keys it saw more than once."""
        new = self.effects() - before
        keys = set(new)
        steps = collections.Counter(key.split("-", 5)[5].split("-")[0] for key in keys)
        self.assertEqual(steps, {"first": 1, "each": items, "a": 1, "flaky": 1, "done": 1})
        return sum(1 for key in keys if new[key] > 1 and "-flaky" not in key)
