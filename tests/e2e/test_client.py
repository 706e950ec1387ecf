#!/usr/bin/env python3
"""The command line against a running server, as people meet it. Needs FLOWPILOT_BIN."""
import json
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BIN, Server, ServerTest, step

HELLO = """
name: Hello from a file
inputs: {type: object, properties: {name: {type: string}}}
steps:
  - {id: hello, step_type: log, config: {message: "Hello {{ input.name ?? 'you' }}"}}
output: "{{ steps.hello.output }}"
"""
WAITS = {"name": "Waits for go", "steps": [step("w", "wait_signal", {"name": "go"}), step("say", "log", {"message": "gone"}, depends_on=["w"])]}


class ClientTest(ServerTest):
    def flowpilot(self, *arguments: str, code: int = 0, address: str = "") -> subprocess.CompletedProcess:
        environment = {**os.environ, "FLOWPILOT_ADDRESS": address or f"http://127.0.0.1:{self.server.port}"}
        done = subprocess.run([BIN, *arguments], capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done

    def write(self, text: str) -> str:
        file = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
        self.addCleanup(os.unlink, file.name)
        with file:
            file.write(text)
        return file.name

    def test_a_workflow_from_file_to_result(self) -> None:
        path = self.write(HELLO)
        made = json.loads(self.flowpilot("workflow", "create", path, "--publish", "-o", "json").stdout)
        self.assertEqual(made["published_version"], 1)
        self.assertIn("Hello from a file", self.flowpilot("workflow", "list").stdout)
        ran = self.flowpilot("workflow", "run", "Hello from a file", "--input", "name=Ada", "--wait", "30", "-o", "json")
        execution = json.loads(ran.stdout)
        self.assertEqual((execution["status"], execution["output"]), ("completed", "Hello Ada"))
        self.assertIn("completed", self.flowpilot("execution", "list", "--workflow", made["id"]).stdout)
        self.assertIn("hello", self.flowpilot("execution", "show", execution["id"]).stdout)
        self.assertIn("Hello Ada", self.flowpilot("execution", "logs", execution["id"]).stdout)
        Path(path).write_text(HELLO.replace("Hello {{", "Good day {{"))
        self.flowpilot("workflow", "update", made["id"], path)
        self.assertIn("/steps/hello/config/message", self.flowpilot("workflow", "diff", made["id"]).stdout)
        self.flowpilot("workflow", "publish", made["id"], "--note", "politer")
        self.flowpilot("workflow", "rollback", made["id"], "--version", "1")
        exported = self.flowpilot("workflow", "export", made["id"]).stdout
        self.assertIn("Good day", exported)
        self.flowpilot("workflow", "import", self.write(exported))
        ambiguous = self.flowpilot("workflow", "show", "Hello from a file", code=6)
        self.assertIn("use an id", ambiguous.stderr)

    def test_watch_and_follow_until_it_ends(self) -> None:
        execution = self.run_workflow(self.create(WAITS), wait=0)
        environment = {**os.environ, "FLOWPILOT_ADDRESS": f"http://127.0.0.1:{self.server.port}"}
        watch = subprocess.Popen([BIN, "execution", "watch", execution["id"]], stdout=subprocess.PIPE, text=True, env=environment)
        logs = subprocess.Popen([BIN, "execution", "logs", "-f", execution["id"]], stdout=subprocess.PIPE, text=True, env=environment)
        self.assertIn("Waits for go", watch.stdout.readline())
        self.flowpilot("execution", "signal", execution["id"], "go", '{"n": 1}')
        said, followed = watch.communicate(timeout=60)[0], logs.communicate(timeout=60)[0]
        self.assertEqual((watch.returncode, logs.returncode), (0, 0), said)
        self.assertIn("execution completed", said)
        self.assertEqual(followed.count("gone"), 1, followed)

    def test_control_and_exit_codes(self) -> None:
        execution = self.run_workflow(self.create(WAITS), wait=0)
        self.assertIn("cancelled", self.flowpilot("execution", "cancel", execution["id"], "--reason", "enough").stdout)
        self.assertIn("ended", self.flowpilot("execution", "cancel", execution["id"], code=6).stderr)
        self.flowpilot("execution", "watch", execution["id"], code=1)
        self.assertIn("no execution", self.flowpilot("execution", "show", "00000000-0000-7000-8000-000000000000", code=3).stderr)
        self.flowpilot("execution", "watch", "00000000-0000-7000-8000-000000000000", code=3)
        self.assertIn("no workflow", self.flowpilot("workflow", "show", "nope", code=3).stderr)
        self.flowpilot("workflow", "publish", code=2)
        nobody = self.flowpilot("workflow", "list", code=7, address="http://127.0.0.1:1")
        self.assertIn("flowpilot serve", nobody.stderr)
        broken = self.flowpilot("workflow", "create", self.write("name: x\nsteps: [{id: a, step_type: nop}]\n"), code=2)
        self.assertIn("step.type", broken.stderr)
        failing = self.create({"name": "Fails for the client", "steps": [step("f", "fail", {"message": "no"})]})
        self.flowpilot("workflow", "run", failing["id"], "--wait", "30", code=1)

    def test_doctor_and_a_second_server(self) -> None:
        data = str(self.server.data)
        checked = self.flowpilot("doctor", "--data-dir", data)
        self.assertIn("commits are durable", checked.stdout)
        self.assertIn("ready", self.flowpilot("doctor", "--quick").stdout)
        second = self.flowpilot("serve", "--port", "0", "--data-dir", data, code=6)
        self.assertIn(str(self.server.process.pid), second.stderr)
        taken = self.flowpilot("serve", "--port", str(self.server.port), "--data-dir", str(self.folder / "other"), code=7)
        self.assertIn(str(self.server.port), taken.stderr)
        self.assertIn("loopback", self.flowpilot("serve", "--host", "0.0.0.0", "--data-dir", data, code=2).stderr)


class BackupTest(ServerTest):
    def test_a_backup_of_a_running_server_goes_on_elsewhere(self) -> None:
        waiting = self.run_workflow(self.create(WAITS), wait=0)
        soon = self.run_workflow(self.create({"name": "Soon", "steps": [step("d", "delay", {"seconds": 2})]}), wait=0)
        backup, copy = str(self.folder / "backup"), self.folder / "copy"
        run = lambda *a: subprocess.run([BIN, *a], capture_output=True, text=True, timeout=60)
        done = run("backup", backup, "--data-dir", str(self.server.data))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("backup", backup, "--data-dir", str(self.server.data)).returncode, 6)
        self.wait_for(soon, "completed")
        killed = subprocess.run([BIN, "restore", backup, "--data-dir", str(copy)], capture_output=True, timeout=60,
                                env={**os.environ, "FLOWPILOT_FAILPOINTS": "restore.before_rename:kill@1"})
        self.assertEqual(killed.returncode, -signal.SIGKILL)
        restored = run("restore", backup, "--data-dir", str(copy))
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertEqual(run("restore", backup, "--data-dir", str(copy)).returncode, 6)
        self.assertEqual(run("verify", "--data-dir", str(copy)).returncode, 0)
        here, self.server = self.server, Server(copy)
        try:
            self.client = self.server.client()
            self.wait_for(soon, "completed")
            self.assertEqual(self.client.post(f"/api/executions/{waiting['id']}/signals/go/").status, 202)
            self.wait_for(waiting, "completed")
            self.client.close()
        finally:
            self.assertEqual(self.server.stop(signal.SIGTERM), 0)
            self.server = here


if __name__ == "__main__":
    unittest.main(verbosity=1)
