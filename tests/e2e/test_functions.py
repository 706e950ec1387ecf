"""Python functions as steps, through the real binary: `flowpilot serve --tasks`, its worker, and workers of their own."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import ROOT, Server, ServerTest, step

FUNCTIONS = Path(__file__).resolve().parent / "functions"
SDK = ROOT / "sdk/python/src"
# What each must become: the code of the failure, or the result.
OUTCOMES = {
    "raise": ("failed", "payment.declined"), "unprintable": ("failed", "python.exception"), "exit": ("failed", "python.exit"), "interrupt": ("failed", "python.exception"),
    "recursion": ("failed", "python.recursion"), "object": ("failed", "python.result"), "nan": ("failed", "python.result"), "surrogate": ("failed", "python.result"),
    "large": ("failed", "python.too_large"), "circle": ("failed", "python.result"), "print": ("completed", "printed"), "write": ("completed", "wrote"),
    "thread": ("completed", "left a thread"), "fork": ("completed", 0),
}


class FunctionsCase(ServerTest):
    def one(self, name: str, config: dict, wait: float = 60, **more) -> dict:
        return self.run_workflow(self.create({"name": name, "steps": [step("a", f"work.{name}", config, **more)]}), wait=wait)

    def until(self, what, limit: float = 30):
        """What `what` gives once it gives something; asks the server again as soon as it answered."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            self.client.get("/healthz")
        self.fail("it never came")

    def worker_row(self, **wanted):
        rows = self.client.get("/api/workers/").json["results"]
        return next((row for row in rows if all(row[key] == value for key, value in wanted.items())), None)


class TasksFolderTest(FunctionsCase):
    """One server that supervises the worker of a folder."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.tasks = Path(tempfile.mkdtemp(prefix="flowpilot-tasks-"))
        shutil.copy(FUNCTIONS / "work.py", cls.tasks)
        cls.notes = Path(tempfile.mkdtemp(prefix="flowpilot-notes-"))
        cls.arguments = ("--tasks", str(cls.tasks), "--task-path", str(cls.notes), "--task-memory-mb", "1024", "--drain-seconds", "1")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        shutil.rmtree(cls.tasks)
        shutil.rmtree(cls.notes)

    def setUp(self) -> None:
        super().setUp()
        self.until(lambda: self.worker_row(name="tasks", status="active"))

    def test_a_function_has_a_form_retries_logs_and_one_key(self) -> None:
        shown = self.client.get("/api/task-types/work.flaky/").json
        self.assertEqual(shown["config_schema"]["properties"]["fail_until"], {"type": "integer", "description": "The first attempt that succeeds."})
        self.assertEqual((shown["title"], shown["step_defaults"]["retry_config"]["max_attempts"]), ("Fails until an attempt", 3))
        done = self.one("flaky", {"fail_until": 3})
        self.assertEqual((done["status"], done["tasks"][0]["result"]["attempt"]), ("completed", 3))
        lines = self.client.get(f"/api/executions/{done['id']}/logs/").json["results"]
        key = done["tasks"][0]["result"]["key"]
        self.assertEqual([line["text"] for line in lines], [text for attempt in (1, 2, 3) for text in (f"attempt {attempt}", f"with key {key}")])
        failed = self.one("flaky", {"fail_until": 9})
        error = failed["tasks"][0]["error"]
        self.assertEqual((error["code"], error["detail"], error["details"]["type"]), ("python.exception", "ConnectionError: not yet", "ConnectionError"))
        self.assertIn('File "work.py"', error["details"]["traceback"])
        self.assertNotIn(str(self.tasks), json.dumps(failed))

    def test_coroutines_run_side_by_side(self) -> None:
        began = time.monotonic()
        done = self.run_workflow(self.create({"name": "naps", "steps": [step("a", "work.nap", {"seconds": 0.5}, for_each=[1, 2, 3, 4, 5, 6], max_parallel=6)]}))
        self.assertEqual(done["tasks"][0]["status"], "completed")
        self.assertLess(time.monotonic() - began, 2.5)

    def test_whatever_a_function_does_has_an_outcome(self) -> None:
        for how, (status, outcome) in OUTCOMES.items():
            with self.subTest(how):
                done = self.one("misbehave", {"how": how})
                self.assertEqual(done["status"], status, done)
                self.assertEqual(done["tasks"][0]["error"]["code"] if status == "failed" else done["tasks"][0]["result"], outcome)
        self.assertEqual(self.one("flaky", {"fail_until": 1})["status"], "completed", "the worker goes on")

    def test_the_log_of_a_flood_is_cut_with_a_mark(self) -> None:
        done = self.one("misbehave", {"how": "print"})
        newest = self.client.get(f"/api/executions/{done['id']}/logs/?tail=3").json["results"]
        self.assertIn("more lines were dropped", newest[-1]["text"])
        bytes_kept = sum(len(line["text"]) for line in self.client.get(f"/api/executions/{done['id']}/logs/?limit=1000").json["results"])
        self.assertLess(bytes_kept, 2 << 20)

    def test_time_out_stops_a_function_that_spins(self) -> None:
        done = self.one("spin", {})
        self.assertEqual(done["error"]["code"], "task.timeout")

    def test_a_wrong_parameter_is_refused_when_it_is_saved(self) -> None:
        reply = self.client.post("/api/workflows/", {"name": "x", "steps": [step("a", "work.nap", {"seconds": "long", "more": 1})]})
        self.assertEqual((reply.status, sorted(error["pointer"] for error in reply.json["errors"])), (422, ["/steps/0/config/more", "/steps/0/config/seconds"]))

    def test_a_worker_that_dies_is_started_again_and_its_attempts_run_again(self) -> None:
        pid = self.worker_row(name="tasks")["pid"]
        marker, seen = self.notes / "marker.txt", []
        execution = self.one("touch_and_wait", {"marker": str(marker)}, wait=0)
        self.until(lambda: marker.exists() and marker.read_text(encoding="utf-8").endswith("\n"))
        os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        done = self.wait_for(execution, "completed", "failed")
        self.assertLess(time.monotonic() - began, 15)
        seen = [line.split() for line in marker.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(([attempt for attempt, _ in seen], len({key for _, key in seen})), (["1", "2"], 1), "once more, with the same key")
        self.assertEqual(done["tasks"][0]["result"]["attempt"], 2)
        self.assertNotEqual(self.worker_row(name="tasks")["pid"], pid)

    def test_a_function_that_ends_the_process_does_not_take_the_others_with_it(self) -> None:
        done = self.one("leave", {}, retry_config={"max_attempts": 1})
        self.assertIn(done["status"], ("failed", "running"))
        self.assertEqual(self.one("flaky", {"fail_until": 1})["status"], "completed")

    def test_functions_reach_their_own_files_and_what_they_were_given(self) -> None:
        own, data = str(self.tasks / "work.py"), self.server.data
        done = self.one("reach", {"read": {"own": own, "database": str(data / "flowpilot.db"), "token": str(data / "worker-token"), "shadow": "/etc/shadow", "home": os.path.expanduser("~")},
                                  "write": {"own": own, "given": str(self.notes / "note"), "tmp": "/tmp/note", "system": "/usr/note"}})
        found = done["tasks"][0]["result"]
        self.assertEqual(found["read"], {"own": "done", "database": "ENOENT", "token": "ENOENT", "shadow": "ENOENT", "home": "ENOENT"})
        self.assertEqual(found["write"], {"own": "EROFS", "given": "done", "tmp": "done", "system": "EROFS"})
        self.assertEqual((found["processes"], found["home"], (self.notes / "note").read_text()), (2, "/tmp", " "))
        self.assertFalse(Path("/tmp/note").exists())

    def test_a_function_that_takes_all_memory_fails_alone(self) -> None:
        pid = self.worker_row(name="tasks")["pid"]
        for touch in (False, True):
            done = self.one("hoard", {"touch": touch}, retry_config={"max_attempts": 1})
            self.assertEqual(done["error"]["code"], "python.memory", done["error"])
        self.assertEqual(self.one("flaky", {"fail_until": 1})["status"], "completed")
        self.assertEqual(self.worker_row(name="tasks")["pid"], pid, "the same worker")

    def test_what_holds_around_them_is_said(self) -> None:
        row = self.worker_row(name="tasks")
        self.assertEqual({name: row["isolation"][name] for name in ("level", "pid", "mount", "no_new_privs", "seccomp")},
                         {"level": "strict", "pid": True, "mount": True, "no_new_privs": True, "seccomp": True})
        self.assertEqual(self.client.get("/readyz").json["isolation"]["functions"], row["isolation"])
        self.assertEqual(Path(f"/proc/{row['pid']}/comm").read_text().strip(), "python3")

    def test_changed_files_are_reloaded_and_mistakes_are_shown(self) -> None:
        extra = self.tasks / "extra.py"
        extra.write_text("from flowpilot import task\n\n@task\ndef one(a: int) -> int:\n    return a\n", encoding="utf-8")
        self.until(lambda: self.client.get("/api/task-types/extra.one/").status == 200)
        extra.write_text("from flowpilot import task\nimport no_such_module\n\n@task\ndef one(a: int) -> int:\n    return a\n", encoding="utf-8")
        entry = self.until(lambda: next((row for row in self.client.get("/api/task-types/").json["results"] if row["source"] == "problem"), None))
        self.assertEqual((entry["type"], entry["problem"]["title"]), ("extra", "ModuleNotFoundError: No module named 'no_such_module'"))
        self.assertIn('File "extra.py", line 2', entry["problem"]["traceback"])
        extra.write_text("from flowpilot import task\n\n@task\ndef one(b: str = 'x') -> str:\n    return b\n", encoding="utf-8")
        self.until(lambda: "b" in self.client.get("/api/task-types/extra.one/").json["config_schema"].get("properties", {}))
        self.assertEqual(self.run_workflow(self.create({"name": "e", "steps": [step("a", "extra.one")], "output": "{{ steps.a.output }}"}))["output"], "x")
        extra.unlink()

    def test_functions_that_do_not_stop_cost_a_new_worker_not_the_work(self) -> None:
        pid = self.worker_row(name="tasks")["pid"]
        stuck = [self.one("ignore_the_end", {}, wait=0) for _ in range(5)]
        for execution in stuck:
            self.assertEqual(self.wait_for(execution, "failed")["error"]["code"], "task.timeout")
        self.until(lambda: (self.worker_row(name="tasks", status="active") or {"pid": pid})["pid"] != pid)
        self.assertEqual(self.one("flaky", {"fail_until": 1})["status"], "completed")


class KilledServerTest(FunctionsCase):
    """What becomes of the supervised worker when nobody supervises it any more."""

    def test_it_finishes_what_runs_and_goes(self) -> None:
        notes = self.folder / "notes"
        notes.mkdir()
        server = Server(self.folder / "killed", "--tasks", str(FUNCTIONS), "--task-path", str(notes), "--lease-seconds", "5")
        self.addCleanup(server.stop)
        client = server.client()
        self.addCleanup(client.close)
        self.until(lambda: client.get("/api/workers/").json["results"])
        made = client.post("/api/workflows/", {"name": "w", "steps": [step("a", "work.note_late", {"started": str(notes / "a"), "ended": str(notes / "b"), "seconds": 0.5})]})
        client.post(f"/api/workflows/{made.json['id']}/run/", {"draft": True})
        self.until((notes / "a").exists)
        pid = client.get("/api/workers/").json["results"][0]["pid"]
        server.stop(signal.SIGKILL)
        self.until((notes / "b").exists)
        self.until(lambda: not Path(f"/proc/{pid}").exists())


class OwnWorkerTest(FunctionsCase):
    """`python -m flowpilot worker`, started by hand."""

    arguments = ("--lease-seconds", "2", "--drain-seconds", "1")

    def start_worker(self, *arguments: str, token: str = "", port: int = 0) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(SDK), "FLOWPILOT_TOKEN": token or (self.server.data / "worker-token").read_text(encoding="utf-8").strip()}
        environment.pop("FLOWPILOT_TOKEN_FILE", None)
        worker = subprocess.Popen(["/usr/bin/python3", "-m", "flowpilot", "worker", "--server", f"http://127.0.0.1:{port or self.server.port}", "--spool", str(self.folder / "spool"),
                                   "--tasks", str(FUNCTIONS), *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, worker)
        return worker

    def end(self, worker: subprocess.Popen) -> None:
        if worker.poll() is None:
            worker.kill()
        worker.communicate()

    def ready(self, worker: subprocess.Popen) -> subprocess.Popen:
        for line in worker.stderr:
            if "is ready" in line:
                return worker
        self.fail(f"the worker ended with {worker.wait()}")

    def test_a_wrong_token_and_other_schemas_end_it_with_a_sentence(self) -> None:
        worker = self.start_worker(token="fpw_wrong_wrong_wrong_wrong_wrong_wrong")
        _, text = worker.communicate(timeout=30)
        self.assertEqual(worker.returncode, 4)
        self.assertIn("auth.token", text)
        self.ready(self.start_worker("--name", "first"))
        other = Path(tempfile.mkdtemp(dir=self.folder))
        (other / "work.py").write_text("from flowpilot import task\n\n@task\ndef nap(minutes: int) -> int:\n    return minutes\n", encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(SDK), "FLOWPILOT_TOKEN_FILE": str(self.server.data / "worker-token")}
        conflict = subprocess.run(["/usr/bin/python3", "-m", "flowpilot", "worker", "--server", f"http://127.0.0.1:{self.server.port}", "--tasks", str(other)], env=environment,
                                  capture_output=True, text=True, timeout=30)
        self.assertEqual(conflict.returncode, 6)
        self.assertIn("work.nap", conflict.stderr)

    def test_sigterm_lets_what_runs_finish(self) -> None:
        worker = self.ready(self.start_worker())
        execution = self.one("nap", {"seconds": 1.0}, wait=0)
        self.until(lambda: self.worker_row(pid=worker.pid)["leases"])
        worker.terminate()
        self.assertEqual(self.wait_for(execution, "completed", "failed")["tasks"][0]["retry_count"], 0)
        self.assertEqual(worker.wait(20), 0)
        self.assertIsNone(self.worker_row(pid=worker.pid))

    def test_a_killed_worker_costs_one_attempt_which_runs_elsewhere(self) -> None:
        marker = self.folder / "killed.txt"
        first = self.ready(self.start_worker("--name", "one"))
        execution = self.one("touch_and_wait", {"marker": str(marker)}, wait=0)
        self.until(lambda: marker.exists() and marker.read_text(encoding="utf-8").endswith("\n"))
        self.until(lambda: [lease["details"] for lease in self.worker_row(name="one")["leases"]] == [{"page": 7}])
        self.ready(self.start_worker("--name", "two"))
        first.kill()
        began = time.monotonic()
        done = self.wait_for(execution, "completed")
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(len(marker.read_text(encoding="utf-8").splitlines()), 2)
        self.assertEqual(done["tasks"][0]["result"], {"attempt": 2, "last": {"page": 7}})

    def test_a_worker_that_was_stopped_for_long_stops_its_own_work(self) -> None:
        marker = self.folder / "zombie.txt"
        first = self.ready(self.start_worker("--name", "zombie"))
        execution = self.one("touch_and_wait", {"marker": str(marker)}, wait=0)
        self.until(lambda: marker.exists() and marker.read_text(encoding="utf-8").endswith("\n"))
        first.send_signal(signal.SIGSTOP)
        self.ready(self.start_worker("--name", "healthy"))
        done = self.wait_for(execution, "completed")
        first.send_signal(signal.SIGCONT)
        self.assertEqual(done["tasks"][0]["result"]["attempt"], 2)
        self.until(lambda: self.worker_row(name="zombie", status="active") and not self.worker_row(name="zombie")["leases"])
        self.assertEqual(self.client.get(f"/api/executions/{execution['id']}/").json["tasks"][0]["result"]["attempt"], 2)

    def test_a_server_that_was_away_finds_its_workers_again(self) -> None:
        worker = self.ready(self.start_worker())
        port = self.server.port
        self.server.stop(signal.SIGKILL)
        for line in worker.stderr:
            if "can not be reached" in line:
                break
        type(self).server = Server(self.server.data, *self.arguments, "--port", str(port))
        self.client = self.server.client()
        for line in worker.stderr:
            if "is back" in line:
                break
        self.assertEqual(self.one("flaky", {"fail_until": 1})["status"], "completed")


if __name__ == "__main__":
    unittest.main()
