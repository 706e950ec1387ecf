#!/usr/bin/env python3
"""Kills `flowpilot serve`, takes its disk and its data away, and compares what is left with what clients were told.
Needs FLOWPILOT_BIN with failpoints. FLOWPILOT_CHAOS_CYCLES=200 makes it longer."""

import collections
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest
import uuid
from pathlib import Path

from server_harness import BIN, LONG, LOST, Load, OpLog, ServerFaultTest, children_of, needs_strace, quantile, step
from test_crash import ELSEWHERE, list_failpoints

NOOP = {"name": "Load", "steps": [step("a"), step("b", depends_on=["a"])]}


class CrashTest(ServerFaultTest):
    def test_f01_random_kills_lose_nothing_that_was_acknowledged(self) -> None:
        cycles, recovery = LONG or 20, []
        self.serve()
        workflow = self.create_load()
        with Load(self, workflow) as load:
            for _ in range(cycles):
                load.over.wait(self.dice.uniform(0.05, 0.6))  # when it dies is what is tested
                self.kill()
                recovery.append(self.serve())
        aside = self.settle(load.log, workflow)
        self.assertEqual(self.stop(), 0)
        self.assertGreaterEqual(len(load.log.ok), cycles, "too little went well to prove anything")
        self.report(
            "F01",
            "kill -9 at random under load",
            cycles=cycles,
            **load.log.figures(),
            **self.audit(load.log),
            set_aside=aside,
            recovery_p50_s=quantile(recovery, 0.5),
            recovery_p99_s=quantile(recovery, 0.99),
        )

    def test_f02_death_at_each_failpoint(self) -> None:
        self.serve()
        workflow = self.create_load()
        self.assertEqual(self.stop(), 0)
        fresh = self.folder / "fresh"
        shutil.copytree(self.data, fresh)
        names = sorted(list_failpoints() - set(ELSEWHERE))
        hits = (1, 2, 3) if LONG else (1, 3)
        total = OpLog()
        for name in names:
            for hit in hits:
                with self.subTest(failpoint=name, hit=hit):
                    self.data = self.folder / f"{name}-{hit}"
                    shutil.copytree(fresh, self.data)
                    log = self.die_at(name, hit, workflow)
                    total.ok.update(log.ok)
        self.assertGreaterEqual(len(total.ok), len(names) * len(hits))
        self.report(
            "F02",
            "death at each failpoint",
            cycles=len(names) * len(hits),
            **total.figures(),
            lost=0,
            duplicated=0,
            stuck=0,
            failpoints=f"{len(names)} of {len(list_failpoints())}; the others where test_crash.py says",
        )

    def die_at(self, name: str, hit: int, workflow: str) -> OpLog:
        self.seen = self.effects()
        log = OpLog()
        self.serve(FLOWPILOT_FAILPOINTS=f"{name}:kill@{hit}")
        client = self.client()
        with self.assertRaises(LOST, msg=f"{name} was not reached {hit} times"):
            for _ in range(20):
                log.start(client, workflow, str(uuid.uuid4()), {"wait_seconds": 30})
        self.server.process.wait(30)
        self.assertEqual(self.server.process.returncode, -signal.SIGKILL)
        self.serve()
        log.start(self.client(), workflow, str(uuid.uuid4()))
        self.settle(log, workflow)
        self.assertEqual(self.stop(), 0)
        self.audit(log)
        return log

    def test_f04_the_whole_process_group_at_once(self) -> None:
        self.serve(wrap=("setsid",))
        workflow = self.create_load()
        starts = []
        with Load(self, workflow) as load:
            for _ in range(3):
                while len(load.log.ok) < 5 * (len(starts) + 1):
                    load.over.wait(0.01)
                os.killpg(self.server.process.pid, signal.SIGKILL)
                self.kill()
                self.server.process.wait(10)
                starts.append(self.serve(wrap=("setsid",)))
        self.settle(load.log, workflow)
        self.assertEqual(self.stop(), 0)
        self.report(
            "F04", "server and sandbox killed together", cycles=3, **load.log.figures(), **self.audit(load.log), full_restart_s=max(starts)
        )

    def test_f97_death_around_the_boundaries_of_a_child(self) -> None:
        self.serve()
        self.create({"name": "Child", "steps": [step("x"), step("d", "delay", {"seconds": 0.01}, depends_on=["x"])], "output": 7})
        parent = self.create({"name": "Load", "steps": [step("c", "workflow", {"workflow": "Child"})], "output": "{{ steps.c.output }}"})
        self.assertEqual(self.stop(), 0)
        fresh = self.folder / "fresh"
        shutil.copytree(self.data, fresh)
        deaths, ok = 0, 0
        for name in ("commit.before", "commit.after"):
            for hit in range(2, 9 if LONG else 7):
                self.data = self.folder / f"{name}-{hit}"
                shutil.copytree(fresh, self.data)
                log = OpLog()
                try:
                    self.serve(FLOWPILOT_FAILPOINTS=f"{name}:kill@{hit}")
                    log.start(self.client(), parent, str(uuid.uuid4()), {"wait_seconds": 5})
                except (*LOST, RuntimeError):
                    deaths += 1
                self.kill()
                self.serve()
                self.settle(log, parent)
                self.assertEqual(self.stop(), 0)
                self.audit(log, effects=None)
                children = self.query("SELECT count(*) FROM executions WHERE workflow_name = 'Child'")[0][0]
                self.assertEqual(children, len(log.ok), "a child without a parent, or two of them")
                ok += len(log.ok)
        self.assertGreaterEqual(deaths, 6)
        self.report("F97", "death around the boundaries of a child", cycles=deaths, ok=ok, lost=0, duplicated=0, stuck=0, orphans=0)

    def test_f97_a_parent_whose_child_was_deleted_is_told(self) -> None:
        self.serve()
        child = self.create({"name": "Child", "steps": [step("w", "wait_signal", {"name": "go"})], "output": 7})
        parent = self.create(
            {
                "name": "Load",
                "steps": [step("w", "wait_signal", {"name": "go"}), step("c", "workflow", {"workflow": "Child"}, depends_on=["w"])],
                "output": "{{ steps.c.output }}",
            }
        )
        client = self.client()
        early, late = (client.post(f"/api/workflows/{parent}/run/", {}).json["id"] for _ in range(2))
        client.post(f"/api/executions/{early}/signals/go/", {})
        children: list[dict] = []
        while not children:
            children = client.get(f"/api/executions/?parent={early}&status=waiting").json["results"]
        self.assertEqual(client.call("DELETE", f"/api/workflows/{child}/").status, 204)
        self.kill()
        self.serve()
        client = self.client()
        # A run keeps the version it started with; a new one has nothing to start.
        client.post(f"/api/executions/{children[0]['id']}/signals/go/", {})
        client.post(f"/api/executions/{late}/signals/go/", {})
        self.settle()
        ended = [client.get(f"/api/executions/{id}/").json for id in (early, late)]
        self.assertEqual([(one["status"], one["output"]) for one in ended], [("completed", 7), ("failed", None)])
        self.assertEqual(ended[1]["error"]["details"]["error"]["code"], "workflow.unknown", ended[1])
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.query("SELECT count(*) FROM executions WHERE workflow_name = 'Child'"), [(1,)])
        self.verify()
        self.report(
            "F97",
            "the child's workflow is deleted: a running child ends, a new one is refused",
            cycles=1,
            ok=2,
            fail=0,
            info=0,
            lost=0,
            duplicated=0,
            stuck=0,
            orphans=0,
        )


class StopTest(ServerFaultTest):
    def test_f05_sigterm_in_a_burst_keeps_results_or_runs_them_again(self) -> None:
        # Of four one ends within the time of grace, one fails within it, and two do not end.
        mixed = {
            "name": "Load",
            "steps": [
                step(
                    "first",
                    "http_request",
                    {"method": "POST", "url": "{{ vars.url }}/slow/{{ input.s }}/x", "json": {"n": 1}},
                    depends_on=["fails"],
                ),
                step(
                    "fails",
                    "http_request",
                    {"method": "POST", "url": "{{ vars.url }}/{{ input.path }}", "json": {}},
                    retry_config={"max_attempts": 2, "initial_delay_seconds": 0.3},
                ),
            ],
        }
        self.serve("--drain-seconds", "2")
        workflow = self.create(mixed)
        log, client = OpLog(), self.client()
        for number in range(40):
            path = f"fail/1/{uuid.uuid4()}" if number % 4 == 1 else "echo/fails"
            log.start(client, workflow, str(uuid.uuid4()), {"input": {"s": "6" if number % 2 == 0 else "0.3", "path": path}})
        families = children_of(self.server.process.pid)
        begin = time.monotonic()
        self.assertEqual(self.stop(), 0)
        took = time.monotonic() - begin
        self.assertLess(took, 6)
        self.assertEqual([pid for pid in families if Path(f"/proc/{pid}").exists()], [], "a process was left behind")
        types = collections.Counter(event["type"] for events in self.journals().values() for event in events)
        self.assertEqual(types["process_died"], 0)
        self.assertGreater(types["attempt_lost"], 0, "nothing exceeded the time of grace")
        kept = types["task_completed"]
        self.serve()
        self.settle(log, workflow)
        self.assertEqual(self.stop(), 0)
        audit = self.audit(log, effects={"first": 1, "fails": 1})
        self.report(
            "F05",
            "SIGTERM in a burst: some end, some fail, some exceed the time of grace",
            cycles=1,
            **log.figures(),
            **audit,
            kept=kept,
            given_back=types["attempt_lost"],
            orphans=0,
            stop_s=round(took, 2),
        )

    def test_f05_sigkill_in_the_time_of_grace(self) -> None:
        cycles = 10 if LONG else 2
        self.serve("--drain-seconds", "20")
        workflow = self.create_load()
        slow = self.create(
            {"name": "Slow", "steps": [step("s", "http_request", {"method": "POST", "url": "{{ vars.url }}/slow/1/x", "json": {}})]}
        )
        with Load(self, workflow) as load:
            for cycle in range(cycles):
                while len(load.log.ok) < 20 * (cycle + 1):
                    load.over.wait(0.01)
                client = self.client()
                client.post(f"/api/workflows/{slow}/run/", {})
                self.up.clear()
                self.server.process.send_signal(signal.SIGTERM)
                while not any('"message":"stopping"' in line for line in self.server.drain_log().splitlines()):
                    load.over.wait(0.005)
                self.kill()
                self.assertEqual(self.server.process.returncode, -signal.SIGKILL, "it had stopped by itself")
                self.serve("--drain-seconds", "20")
        self.settle(load.log, workflow)
        self.assertEqual(self.stop(), 0)
        self.report("F05", "SIGTERM, and kill -9 while it drains", cycles=cycles, **load.log.figures(), **self.audit(load.log))

    def test_f11_a_second_server_on_the_same_directory_is_refused(self) -> None:
        self.serve()
        workflow = self.create(NOOP)
        second = subprocess.run([BIN, "serve", "--port", "0", "--data-dir", str(self.data)], capture_output=True, text=True, timeout=30)
        self.assertEqual(second.returncode, 6, second.stderr)
        self.assertIn(str(self.server.process.pid), second.stderr)
        log = OpLog()
        log.start(self.client(), workflow, "k", {"wait_seconds": 10})
        self.assertEqual(self.stop(), 0)
        self.report(
            "F11",
            "a second server on the same directory",
            cycles=1,
            **log.figures(),
            **self.audit(log, effects=None),
            message=second.stderr.strip().splitlines()[0].replace(str(self.folder), "DIR"),
        )

    def test_f78_a_port_that_is_taken_is_named_with_its_owner(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refused = subprocess.run(
                [BIN, "serve", "--port", str(port), "--data-dir", str(self.data)], capture_output=True, text=True, timeout=30
            )
        self.assertEqual(refused.returncode, 7, refused.stderr)
        self.assertIn(str(port), refused.stderr)
        self.assertIn(str(os.getpid()), refused.stderr)
        self.report("F78", "port taken", cycles=1, exit=7, message=refused.stderr.strip().splitlines()[0].replace(str(self.folder), "DIR"))


class DiskTest(ServerFaultTest):
    def run_until_it_stops(self, workflow: str) -> OpLog:
        log, client = OpLog(), self.client()
        try:
            for _ in range(20_000):
                log.start(client, workflow, str(uuid.uuid4()))
        except LOST:
            pass
        return log

    def finish(self, log: OpLog, workflow: str) -> dict:
        self.serve()
        self.settle(log, workflow)
        self.assertEqual(self.stop(), 0)
        return self.audit(log, effects=None)

    def test_f22_nothing_is_acknowledged_after_a_failed_fsync(self) -> None:
        needs_strace()
        self.serve()
        workflow = self.create(NOOP)
        self.assertEqual(self.stop(), 0)
        cycles, total, late = LONG and 20 or 3, OpLog(), 0
        for cycle in range(cycles):
            trace = self.folder / f"trace-{cycle}"
            self.serve(
                wrap=(
                    "strace",
                    "-f",
                    "--seccomp-bpf",
                    "-ttt",
                    "-qq",
                    "-o",
                    str(trace),
                    "-e",
                    "trace=fdatasync,fsync",
                    "-e",
                    f"inject=fdatasync,fsync:error=EIO:when={15 + 7 * cycle}+",
                )
            )
            log = self.run_until_it_stops(workflow)
            self.server.process.wait(30)
            self.assertEqual(self.server.process.returncode, 7)
            failed = [
                float(line.split()[1]) for line in trace.read_text(encoding="utf-8").splitlines() if "INJECTED" in line and "EIO" in line
            ]
            self.assertTrue(failed, "the disk never failed")
            late += sum(1 for sent, _ in log.acked_at if sent > failed[0])
            self.assertGreaterEqual(len(log.ok), 3)
            total.ok.update(log.ok)
            self.finish_cycle(log, workflow, total)
        self.assertEqual(late, 0, "acknowledged after the disk failed")
        self.report(
            "F22", "fsync fails with EIO", cycles=cycles, **total.figures(), **self.audit(total, effects=None), acks_after_eio=late, exit=7
        )

    def finish_cycle(self, log: OpLog, workflow: str, total: OpLog) -> None:
        self.serve()
        self.settle(log, workflow)
        total.ok.update(log.ok)
        self.assertEqual(self.stop(), 0)

    def test_f25_a_file_size_limit_stops_it_and_loses_nothing(self) -> None:
        self.serve()
        workflow = self.create(NOOP)
        self.assertEqual(self.stop(), 0)
        size = max(file.stat().st_size for file in self.data.iterdir() if file.is_file())
        self.serve(wrap=("prlimit", f"--fsize={size + 600_000}"))
        log = self.run_until_it_stops(workflow)
        self.server.process.wait(30)
        self.assertEqual(self.server.process.returncode, 7)
        figures = log.figures()
        self.assertGreater(len(log.ok), 3, "nothing was acknowledged before the limit")
        self.report("F25", "a file size limit is hit", cycles=1, **figures, **self.finish(log, workflow), exit=7)

    def test_f28_a_slow_disk_costs_time_and_no_leases(self) -> None:
        needs_strace()
        self.serve(
            wrap=(
                "strace",
                "-f",
                "--seccomp-bpf",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                "trace=fdatasync",
                "-e",
                "inject=fdatasync:delay_exit=300000",
            )
        )
        workflow = self.create(
            {
                "name": "Load",
                "steps": [step("first", "http_request", {"method": "POST", "url": "{{ vars.url }}/slow/1/x", "json": {"n": 1}})],
            }
        )
        with Load(self, workflow, threads=8) as load:
            while len(load.log.ok) < 24:
                load.over.wait(0.05)
        self.settle(load.log, workflow)
        self.assertEqual(self.stop(), 0)
        types = [event["type"] for events in self.journals().values() for event in events]
        self.assertEqual(types.count("attempt_lost"), 0)
        self.assertGreater(quantile(load.log.seconds, 0.5), 0.25, "the disk was not slow")
        self.report(
            "F28",
            "each fdatasync takes 0.3 s more",
            cycles=1,
            **load.log.figures(),
            **self.audit(load.log, effects={"first": 1}),
            spurious_reruns=0,
            ack_p50_s=quantile(load.log.seconds, 0.5),
        )

    def test_f31_a_read_only_directory_is_named(self) -> None:
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest("no right to mount: " + mounted.stderr.strip()[:80])
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], capture_output=True)
        self.data = disk / "data"
        self.serve()
        workflow = self.create(NOOP)
        live = subprocess.run(["mount", "-o", "remount,ro", str(disk)], capture_output=True, text=True).returncode == 0
        log, code = OpLog(), ""
        if live:
            reply = self.client().post(f"/api/workflows/{workflow}/run/")
            self.assertEqual((reply.status, reply.code), (503, "storage.readonly"))
        else:
            self.assertEqual(self.stop(), 0)  # the kernel refuses to remount below files that are open for writing
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            refused = subprocess.run(
                [BIN, "serve", "--port", "0", "--data-dir", str(self.data)], capture_output=True, text=True, timeout=30
            )
            self.assertEqual(refused.returncode, 7, refused.stderr)
            self.assertRegex(refused.stderr, "read-only|not be written|storage.readonly")
            code = refused.stderr.strip().splitlines()[0].replace(str(self.folder), "DIR")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        if not live:
            self.serve()
        log.start(self.client(), workflow, "k", {"wait_seconds": 10})
        self.assertEqual(self.stop(), 0)
        self.report(
            "F31", "read-only file system", cycles=1, **log.figures(), **self.audit(log, effects=None), live_remount=live, message=code
        )

    def test_f39_a_blob_that_is_gone_or_changed_is_told(self) -> None:
        self.serve()
        workflow = self.create({"name": "Load", "steps": [step("big", "set", {"values": "{{ 'x'.repeat(200000) + input.n }}"})]})
        client = self.client()
        ids = [client.post(f"/api/workflows/{workflow}/run/", {"input": {"n": n}, "wait_seconds": 20}).json["id"] for n in (1, 2, 3)]
        self.assertEqual(self.stop(), 0)
        blobs = sorted((file for file in (self.data / "blobs").rglob("*") if file.is_file()), key=lambda file: file.stat().st_mtime)
        self.assertEqual(len(blobs), 3)
        by_n = {file.read_bytes()[-2:-1].decode(): file for file in blobs}
        gone, flipped = by_n.get("1", blobs[0]), by_n.get("2", blobs[1])
        gone.unlink()
        data = bytearray(flipped.read_bytes())
        data[len(data) // 2] ^= 1
        flipped.write_bytes(data)
        self.serve()
        client = self.client()
        told = {}
        for id in ids:
            reply = client.get(f"/api/executions/{id}/tasks/big/result/?offset=199990")
            told[id] = "" if reply.status == 200 else reply.json["detail"]
            if told[id]:
                self.assertEqual((reply.status, reply.code), (503, "storage.corrupt"))
                self.assertIn(id, told[id], "it names the execution")
        words = sorted("gone" if "gone" in text or "missing" in text else "changed" if text else "" for text in told.values())
        self.assertEqual(words, ["", "changed", "gone"], told)
        self.assertEqual(client.get("/healthz").status, 200)
        again = client.post(f"/api/workflows/{workflow}/run/", {"input": {"n": 4}, "wait_seconds": 20})
        self.assertEqual(again.json["status"], "completed")
        self.assertEqual(self.stop(), 0)
        verified = subprocess.run([BIN, "verify", "--data-dir", str(self.data)], capture_output=True, text=True, timeout=60)
        self.assertEqual(verified.returncode, 1, verified.stdout)
        bad = [id for id, text in told.items() if text]
        self.assertEqual([id for id in bad if id not in verified.stdout], [], verified.stdout)
        self.report("F39", "one blob deleted, one changed by a bit", cycles=1, told=words, verify_names_the_executions=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
