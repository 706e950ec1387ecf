#!/usr/bin/env python3
"""The command line as people meet it: what it prints, where, and with which exit code. Needs FLOWPILOT_BIN."""
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

BIN = os.environ["FLOWPILOT_BIN"]

CHAIN = """
name: Chain
inputs: {type: object, required: [n], properties: {n: {type: integer}, zip: {type: string}}}
steps:
  - {id: a, step_type: set, config: {values: {n: "{{ input.n + 1 }}", zip: "{{ input.zip ?? 'none' }}", who: "{{ vars.who ?? 'nobody' }}"}}}
  - {id: b, step_type: noop, depends_on: [a], config: {output: "{{ steps.a.output }}"}}
output: "{{ steps.b.output }}"
"""
WAITS = """
name: Waits
steps:
  - {id: w, step_type: wait_signal, config: {name: go}}
  - {id: ask, step_type: approval, depends_on: [w], config: {title: "Ship it?"}}
output: "{{ steps.w.output }}"
"""
FAILS = 'name: Fails\nsteps: [{id: f, step_type: fail, config: {message: "no money", code: order.unpaid}}]\n'


class CommandLineTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowpilot-cli-"))
        self.data = self.folder / "data"
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name: str, text) -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def call(self, *arguments: str, stdin: str = "", **options) -> subprocess.CompletedProcess:
        environment = {**os.environ, "FLOWPILOT_DATA_DIR": str(self.data), **options.pop("env", {})}
        return subprocess.run([BIN, *arguments], input=stdin, capture_output=True, text=True, timeout=60, env=environment, **options)

    def expect(self, code: int, sentence: str, *arguments: str, **options) -> subprocess.CompletedProcess:
        done = self.call(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(sentence, done.stderr)
        self.assertNotIn("bug at", done.stderr)
        return done


class RunTest(CommandLineTest):
    def test_prints_the_output_on_stdout_and_progress_on_stderr(self) -> None:
        done = self.call("run", self.write("c.yaml", CHAIN), "--input", "n=5", "--input", "zip=01234", "--var", "who=ada")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), {"n": 6, "zip": "01234", "who": "ada"})
        self.assertIn("b completed", done.stderr)
        self.assertNotIn("\x1b", done.stderr)

    def test_json_output_is_the_execution_resource(self) -> None:
        done = self.call("run", self.write("c.yaml", CHAIN), "--input", "n=1", "-o", "json")
        execution = json.loads(done.stdout)
        self.assertEqual(execution["status"], "completed")
        self.assertEqual([task["step"] for task in execution["tasks"]], ["a", "b"])
        self.assertEqual(execution["tasks"][1]["status"], "completed")

    def test_reads_document_or_input_from_standard_input(self) -> None:
        self.assertEqual(self.call("run", "-", "--input", "n=1", stdin=CHAIN).returncode, 0)
        path = self.write("c.yaml", CHAIN)
        self.assertEqual(self.call("run", path, "--input-file", "-", stdin='{"n": 1}').returncode, 0)

    def test_a_failed_execution_exits_1_and_says_why(self) -> None:
        done = self.expect(1, "f failed: no money [order.unpaid]", "run", self.write("f.yaml", FAILS), "-o", "json")
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "order.unpaid")

    def test_signals_and_approvals_can_be_given_ahead(self) -> None:
        done = self.call("run", self.write("w.yaml", WAITS), "--signal", 'go={"x": 1}', "--approve", "ask")
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, {"x": 1}), done.stderr)
        self.expect(1, "approval.rejected", "run", self.write("w.yaml", WAITS), "--signal", "go=1", "--reject", "ask")

    def test_interrupt_says_how_to_go_on_and_resume_does(self) -> None:
        path = self.write("w.yaml", WAITS)
        environment = {**os.environ, "FLOWPILOT_DATA_DIR": str(self.data)}
        with subprocess.Popen([BIN, "run", path], stderr=subprocess.PIPE, text=True, env=environment) as process:
            for line in process.stderr:
                if "waits for signal" in line:
                    break
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            self.assertEqual(process.wait(30), 130)
        self.assertIn("go on with: flowpilot run --resume", rest)
        done = self.call("run", "--resume", "--signal", "go=7", "--approve", "ask")
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "7"), done.stderr)
        self.expect(0, "nothing is unfinished", "run", "--resume")


class BadInputTest(CommandLineTest):
    def test_flags(self) -> None:
        path = self.write("c.yaml", CHAIN)
        self.expect(2, "A subcommand is required")
        self.expect(2, "", "frobnicate")
        self.expect(2, "either a FILE or --resume", "run")
        self.expect(2, "either a FILE or --resume", "run", path, "--resume", "x")
        self.expect(2, "NAME=VALUE", "run", path, "--input", "n")
        self.expect(2, "worker_threads (from flag) must be a number", "run", path, "--worker-threads", "0")
        self.expect(2, "is not an id", "run", "--resume", "123")
        self.expect(3, "there is no execution", "run", "--resume", "01890a5d-ac96-774b-bcce-b302099a8057")

    def test_files(self) -> None:
        self.expect(3, "there is no file", "run", "nope.yaml")
        self.expect(2, "Is a directory", "validate", str(self.folder))
        self.expect(2, "NUL byte", "validate", self.write("x.yaml", b"\0\1\2"))
        self.expect(2, "is empty", "validate", self.write("x.yaml", "\n"))
        self.expect(2, "more than 1048576 bytes", "validate", self.write("x.yaml", "a" * 2_000_000))
        self.expect(3, "there is no file", "run", self.write("c.yaml", CHAIN), "--config", "nope.conf")
        self.expect(2, "there is no setting \"dta_dir\" (did you mean \"data_dir\"?)", "run", "x", "--config", self.write("c", "dta_dir: x\n"))

    def test_inputs(self) -> None:
        path = self.write("c.yaml", CHAIN)
        self.expect(2, '"n" is missing', "run", path)
        self.expect(2, "must be of type integer", "run", path, "--input", "n=x")
        self.expect(2, "not JSON at line 1, column 8", "run", path, "--input-file", self.write("i", '{"n":1,}'))

    def test_a_wrong_document_names_line_pointer_and_code_of_every_mistake(self) -> None:
        document = 'name: X\nsteps:\n  - {id: a, step_type: st, config: {values: "{{ 1 + }}"}}\n  - {id: b, step_type: set, depends_on: [c]}\n'
        done = self.expect(2, "/steps/0/step_type: line 3: there is no step type", "validate", self.write("x.yaml", document))
        for sentence in ("/steps/0/config/values: line 3: at line 1", '/steps/1/config: line 4: "values" is missing', "/steps/1/depends_on/0: line 4: there is no step \"c\""):
            self.assertIn(sentence, done.stderr)
        done = self.call("validate", self.write("x.yaml", document), "-o", "json")
        self.assertEqual(len(json.loads(done.stdout)[0]["error"]["errors"]), 4, done.stdout)

    def test_validate_takes_many_files_and_reports_each(self) -> None:
        done = self.call("validate", self.write("a.yaml", CHAIN), self.write("b.yaml", "name: X\n"), self.write("c.yaml", WAITS))
        self.assertEqual(done.returncode, 2)
        self.assertIn("a.yaml: ok (2 steps)", done.stdout)
        self.assertIn("c.yaml: ok (2 steps)", done.stdout)


class DataDirectoryTest(CommandLineTest):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.write("c.yaml", CHAIN)
        self.assertEqual(self.call("run", self.path, "--input", "n=1").returncode, 0)

    def finished(self) -> int:
        with sqlite3.connect(self.data / "flowpilot.db") as database:
            return database.execute("SELECT count(*) FROM executions WHERE status = 'completed'").fetchone()[0]

    def test_in_use_by_another_process(self) -> None:
        environment = {**os.environ, "FLOWPILOT_DATA_DIR": str(self.data)}
        waits = self.write("w.yaml", WAITS)
        with subprocess.Popen([BIN, "run", waits], stderr=subprocess.PIPE, text=True, env=environment) as process:
            for line in process.stderr:
                if "waits for signal" in line:
                    break
            self.expect(6, f"is in use by process {process.pid}", "run", self.path, "--input", "n=1")
            process.kill()

    def test_made_by_a_newer_version(self) -> None:
        with sqlite3.connect(self.data / "flowpilot.db") as database:
            database.execute("PRAGMA user_version = 999")
        self.expect(6, "newer", "run", self.path, "--input", "n=1")
        self.assertEqual(self.finished(), 1)

    def test_corrupt(self) -> None:
        for leftover in self.data.glob("flowpilot.db-*"):
            leftover.unlink()
        content = bytearray((self.data / "flowpilot.db").read_bytes())
        content[0:64] = b"x" * 64
        (self.data / "flowpilot.db").write_bytes(content)
        self.expect(7, "flowpilot.db", "run", self.path, "--input", "n=1")
        self.assertEqual((self.data / "flowpilot.db").read_bytes()[:64], b"x" * 64, "it must not be overwritten")

    def test_a_damaged_journal_is_found_and_named(self) -> None:
        with sqlite3.connect(self.data / "flowpilot.db") as database:
            database.execute("UPDATE journal SET events = replace(events, '\"n\":2', '\"n\":3') WHERE first_seq > 1")
        done = self.call("verify")
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not match", done.stdout)

    def test_verify_of_nothing_makes_nothing(self) -> None:
        self.expect(7, "there is no flowpilot.db in", "verify", "--data-dir", str(self.folder / "none"))
        self.assertFalse((self.folder / "none").exists())
        self.assertEqual(self.call("verify").returncode, 0)

    def test_full_disk(self) -> None:
        def limit_files() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

        big = self.write("b.yaml", "name: Big\nsteps: [{id: a, step_type: noop, for_each: \"{{ Array.from({length: 3000}, (_, i) => 'item ' + i) }}\"}]\n")
        done = self.call("run", big, preexec_fn=limit_files)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn("what to do", done.stderr)
        self.assertEqual(self.finished(), 1)
        self.assertEqual(self.call("run", "--resume").returncode, 0)
        self.assertEqual(self.call("verify").returncode, 0)

    def test_path_that_can_not_be_a_folder(self) -> None:
        self.expect(7, "/proc/none", "run", self.path, "--input", "n=1", "--data-dir", "/proc/none")


class OtherCommandsTest(CommandLineTest):
    def test_config_show_gives_value_and_origin_and_masks_passwords(self) -> None:
        done = self.call("config", "show", "--smtp-url", "smtp://me:hunter2@mail.example.org", "--file-root", "/srv", env={"FLOWPILOT_MAIL_FROM": "a@b.c"})
        self.assertRegex(done.stdout, r"smtp_url +smtp://me:\*\*\*@mail.example.org +flag")
        self.assertRegex(done.stdout, r"mail_from +a@b.c +environment FLOWPILOT_MAIL_FROM")
        self.assertNotIn("hunter2", done.stdout)

    def test_every_command_has_help_with_an_example(self) -> None:
        for command in (["run"], ["validate"], ["verify"], ["config", "show"], ["completion"]):
            done = self.call(*command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example", done.stdout, command)

    def test_completion_scripts_are_accepted_by_their_shell(self) -> None:
        script = self.call("completion", "bash").stdout
        self.assertIn("validate", script)
        self.assertEqual(subprocess.run(["bash", "-n"], input=script, text=True).returncode, 0)
        self.expect(2, "", "completion", "tcsh")

    def test_starts_quickly(self) -> None:
        """Not a figure, a fence: whoever makes every command slow shall notice here."""
        start = time.monotonic()
        self.call("--version")
        self.assertLess(time.monotonic() - start, 5)


if __name__ == "__main__":
    unittest.main()
