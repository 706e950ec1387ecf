#!/usr/bin/env python3
"""Kills `flowpilot run` at every failpoint and at random, resumes, and compares with what was promised. Needs FLOWPILOT_BIN with
failpoints."""
import collections
import os
import random
import re
import signal
import subprocess
import time
import unittest
from collections.abc import Callable

from harness import BIN, CYCLES, ROOT, SEED, FaultTest

# Reached by other tests than these, which say so: opening an old directory, retention, backups.
ELSEWHERE = {"migrate.mid": "server/store/sqlite/sqlite_crash_test.cpp", "prune.mid": "server/store/sqlite/sqlite_crash_test.cpp",
             "checkpoint.before": "server/store/sqlite/sqlite_crash_test.cpp", "backup.mid": "server/store/sqlite/sqlite_crash_test.cpp",
             "backup.before_manifest": "server/store/sqlite/sqlite_crash_test.cpp",
             "restore.before_rename": "tests/e2e/test_client.py", "events.started": "tests/e2e/test_events.py",
             "events.settle.before": "tests/e2e/test_events.py"}


def list_failpoints() -> set[str]:
    found = set()
    for file in (ROOT / "server").rglob("*.cpp"):
        found |= set(re.findall(r'FP_FAILPOINT\("([^"]+)"\)', file.read_text(encoding="utf-8")))
    return found


class FailpointTest(FaultTest):
    ITEMS = 20

    def test_every_failpoint_is_covered_here_or_elsewhere(self) -> None:
        for name, file in ELSEWHERE.items():
            self.assertIn(name, (ROOT / file).read_text(encoding="utf-8"))
        self.assertLessEqual(set(ELSEWHERE), list_failpoints())

    def test_death_at_each_failpoint(self) -> None:
        for name in sorted(list_failpoints() - set(ELSEWHERE)):
            for hit in (1, 2, 3):
                with self.subTest(failpoint=name, hit=hit):
                    self.die_at(name, hit)

    def die_at(self, name: str, hit: int) -> None:
        self.data = self.folder / f"{name}-{hit}"
        before = self.effects()
        died = self.call(self.run_command(self.ITEMS), FLOWPILOT_FAILPOINTS=f"{name}:kill@{hit}")
        self.assertEqual(died.returncode, -signal.SIGKILL, f"{name} was not reached {hit} times: {died.stderr}")
        if not self.query("SELECT 1 FROM executions"):
            # Nothing was accepted yet, so nothing may come of it.
            self.assertLess(hit, 4)
            self.assertEqual(self.effects(), before)
            return
        self.finish()
        self.check_oracle(1)
        self.check_effects(before, self.ITEMS)


class RandomKillTest(FaultTest):
    def test_random_kills_lose_nothing_and_repeat_nothing_recorded(self) -> None:
        dice = random.Random(SEED)
        kills = 0
        repeated = 0
        execution = 0
        print(f"seed {SEED}, {CYCLES} kills", flush=True)
        while kills < CYCLES:
            execution += 1
            items = dice.choice((20, 60, 200))
            self.data = self.folder / f"data-{execution}"
            before = self.effects()
            alive = self.kill_after(self.run_command(items), dice.uniform(0.02, 0.5))
            kills += alive
            while alive and kills < CYCLES and dice.random() < 0.8:
                alive = self.kill_after(self.resume_command(), dice.uniform(0.01, 0.3))
                kills += alive
            if not self.query("SELECT 1 FROM executions"):
                continue  # killed before anything was accepted
            self.finish()
            self.check_oracle(1)
            repeated += self.check_effects(before, items)
        print(f"{kills} kills, {execution} executions, {repeated} effects repeated with the same key, 0 lost", flush=True)


class OrderlyStopTest(FaultTest):
    def test_sigterm_gives_attempts_back_without_blaming_the_execution(self) -> None:
        slow = self.folder / "load.yaml"
        slow.write_text('name: Load\nsteps: [{id: a, step_type: http_request, config: {url: "{{ vars.url }}/hang"}}]\n', encoding="utf-8")
        for _ in range(4):
            command = self.resume_command() if self.data.exists() else self.run_command(1)
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
                for line in process.stderr:
                    if "a started" in line:
                        break
                process.send_signal(signal.SIGTERM)
                process.stderr.read()
                self.assertEqual(process.wait(30), 130)
        types = [event["type"] for events in self.journals().values() for event in events]
        self.assertEqual(types.count("process_died"), 0)
        self.assertEqual(types.count("attempt_lost"), 4)
        self.assertEqual(self.query("SELECT status FROM executions"), [("running",)])

    def test_three_deaths_in_a_row_set_an_execution_aside(self) -> None:
        (self.folder / "load.yaml").write_text('name: Load\nsteps: [{id: a, step_type: noop}]\n', encoding="utf-8")
        for _ in range(3):
            command = self.resume_command() if self.data.exists() else self.run_command(1)
            self.call(command, FLOWPILOT_FAILPOINTS="effect-before-result:kill@1")
        done = self.call(self.resume_command())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("was set aside", done.stderr)
        self.assertEqual(self.query("SELECT status, error_code FROM executions"), [("paused", "execution.quarantined")])
        self.finish()
        self.check_oracle(1)


class SandboxKillTest(FaultTest):
    def test_death_of_the_expression_process_fails_no_execution_for_good(self) -> None:
        (self.folder / "load.yaml").write_text(
            "name: Load\nsteps:\n  - {id: a, step_type: set, config: {values: \"{{ 1 + 1 }}\"}}\n"
            "  - {id: w, step_type: delay, depends_on: [a], config: {seconds: 1}}\n"
            "  - {id: b, step_type: set, depends_on: [w], config: {values: \"{{ steps.a.output + 1 }}\"}}\noutput: \"{{ steps.b.output }}\"\n", encoding="utf-8")
        with subprocess.Popen(self.run_command(1), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr:
                if "w waits" in line:
                    break
            for child in os.listdir("/proc"):
                if child.isdigit() and self.parent_of(child) == process.pid:
                    os.kill(int(child), signal.SIGKILL)
            output, _ = process.communicate(timeout=30)
            self.assertEqual((process.returncode, output.strip()), (0, "3"))

    @staticmethod
    def parent_of(pid: str) -> int:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                return int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            return -1


class DiskTest(FaultTest):
    def test_a_failed_fsync_stops_the_process_and_loses_nothing_acknowledged(self) -> None:
        if subprocess.run(["strace", "-V"], capture_output=True).returncode != 0:
            self.skipTest("strace is not installed")
        start = time.monotonic()
        failed = self.call(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=12+", *self.run_command(20)])
        if failed.returncode != 7 and "ptrace" in failed.stderr.lower():
            self.skipTest("this machine does not let strace attach: " + failed.stderr.strip()[:80])
        self.assertEqual(failed.returncode, 7, failed.stderr)
        self.assertLess(time.monotonic() - start, 60)
        if self.query("SELECT 1 FROM executions"):
            self.finish()
            self.check_oracle(1)

    def test_a_file_size_limit_stops_the_process_and_loses_nothing_acknowledged(self) -> None:
        for kilobytes in (100, 300, 600, 1000):
            with self.subTest(kilobytes=kilobytes):
                self.data = self.folder / f"limited-{kilobytes}"
                self.expect_stop_and_resume(["prlimit", f"--fsize={kilobytes * 1024}", *self.run_command(100)])

    def test_a_full_disk_stops_the_process_and_loses_nothing_acknowledged(self) -> None:
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest("no right to mount a small disk: " + mounted.stderr.strip()[:80])
        self.addCleanup(subprocess.run, ["umount", str(disk)])
        self.data = disk / "data"
        self.expect_stop_and_resume(self.run_command(100), lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True))

    def expect_stop_and_resume(self, command: list[str], make_room: Callable[[], object] = lambda: None) -> None:
        before = self.effects() if self.sink.exists() else collections.Counter()
        failed = self.call(command)
        self.assertEqual(failed.returncode, 7, failed.stderr)
        make_room()
        if self.query("SELECT 1 FROM executions"):
            self.finish()
            self.check_oracle(1)
            self.check_effects(before, 100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
