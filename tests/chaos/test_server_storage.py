#!/usr/bin/env python3
"""What happens to `flowpilot serve` and its data when the process is frozen, the data is replaced or copied, the disk lies or turns
read-only, a reader holds the WAL, and retention deletes beside load. Needs FLOWPILOT_BIN with failpoints; some
rows need strace or root and say so."""

import concurrent.futures
import http.client
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import unittest
import uuid
from pathlib import Path

from server_harness import BIN, LONG, LOST, Client, Load, OpLog, Server, ServerFaultTest, needs_strace, quantile, step

NOOP = {"name": "Load", "steps": [step("a"), step("b", depends_on=["a"])]}
SLOW = {
    "name": "Load",
    "steps": [step("first", "http_request", {"method": "POST", "url": "{{ vars.url }}/slow/{{ input.s }}/x", "json": {"n": 1}})],
}
BIG = {"name": "Load", "steps": [step("big", "set", {"values": "{{ 'x'.repeat(200000) + input.n }}"})]}


class FrozenTest(ServerFaultTest):
    def test_f07_a_frozen_server_keeps_its_directory_and_goes_on(self) -> None:
        self.serve()
        workflow = self.create(SLOW)
        log, client = OpLog(), self.client()
        for _ in range(10):
            log.start(client, workflow, str(uuid.uuid4()), {"input": {"s": "1"}})
        begin = time.monotonic()
        os.kill(self.server.process.pid, signal.SIGSTOP)
        second = self.refused(self.data)
        self.assertEqual(second.returncode, 6, second.stderr)
        self.assertIn(str(self.server.process.pid), second.stderr)
        # How long it is frozen is what is tested: longer than the 15 seconds after which a silent worker has lost its attempts.
        threading.Event().wait(max(0.0, 17 - (time.monotonic() - begin)))
        os.kill(self.server.process.pid, signal.SIGCONT)
        self.settle(log, workflow)
        log.start(self.client(), workflow, "after", {"input": {"s": "0"}, "wait_seconds": 20})
        self.assertEqual(self.stop(), 0)
        lost = [event for events in self.journals().values() for event in events if event["type"] == "attempt_lost"]
        self.report(
            "F07",
            "SIGSTOP for 17 s, a second server meanwhile, SIGCONT",
            cycles=1,
            **log.figures(),
            **self.audit(log, effects={"first": 1}),
            second_server="refused, exit 6",
            spurious_reruns=len(lost),
        )


class DataTest(ServerFaultTest):
    def test_f30_an_older_copy_in_place_is_noticed(self) -> None:
        self.serve()
        workflow = self.create(NOOP)
        early, late, after = OpLog(), OpLog(), OpLog()
        for log in (early, late):
            client = self.client()
            for _ in range(20):
                log.start(client, workflow, str(uuid.uuid4()), {"wait_seconds": 20})
            self.assertEqual(self.stop(), 0)
            if log is early:
                shutil.copy(self.data / "flowpilot.db", self.folder / "older.db")
            self.serve()
        self.assertFalse(any("replaced" in line for line in self.server.lines), "it warns without a reason")
        newest = self.epoch()
        self.assertEqual(self.stop(), 0)
        shutil.copy(self.folder / "older.db", self.data / "flowpilot.db")
        self.serve()
        told = [line for line in self.server.lines if "was replaced by an older copy" in line]
        self.assertEqual(len(told), 1, self.server.lines)
        self.assertIn('"level":"warning"', told[0])
        self.assertGreater(self.epoch(), newest, "whoever holds work of the lost time is not shut out")
        client = self.client()
        self.assertEqual({client.get(f"/api/executions/{id}/").status for id in early.ok.values()}, {200})
        self.assertEqual({client.get(f"/api/executions/{id}/").status for id in late.ok.values()}, {404})
        early.start(client, workflow, "after", {"wait_seconds": 20})
        self.assertEqual(self.stop(), 0)
        self.serve()
        self.assertFalse(any("replaced" in line for line in self.server.lines), "it warns a second time")
        self.assertEqual(self.stop(), 0)
        self.report(
            "F30",
            "stop, older copy of the database, start",
            cycles=1,
            **early.figures(),
            **self.audit(early, effects=None),
            detected=True,
            gone_with_the_copy=len(late.ok),
        )

    def epoch(self) -> int:
        return max(int(line.split()[1]) for line in (self.data / "lineage").read_text(encoding="utf-8").splitlines())

    def test_f35_a_backup_under_load_restores_what_was_acknowledged_before_it(self) -> None:
        self.serve()
        workflow = self.create_load()
        sleeper = self.create(
            {
                "name": "Sleeper",
                "steps": [
                    step("d", "delay", {"seconds": 2}),
                    step("once", "http_request", {"method": "POST", "url": "{{ vars.url }}/echo/once"}, depends_on=["d"]),
                ],
            }
        )
        backup, cycles, objective = self.folder / "backup", 5 if LONG else 1, []
        with Load(self, workflow) as load:
            for _ in range(cycles):
                self.load_more(load, 40)
                shutil.rmtree(backup, ignore_errors=True)
                asleep = self.client().post(f"/api/workflows/{sleeper}/run/", {}).json["id"]
                before = set(load.log.ok.values())
                begin = time.monotonic()
                made = subprocess.run(
                    [BIN, "backup", str(backup), "--data-dir", str(self.data)], capture_output=True, text=True, timeout=60
                )
                objective.append(time.monotonic() - begin)
                self.assertEqual(made.returncode, 0, made.stderr)
        self.kill()  # everything after the backup is gone with this server
        begin = time.monotonic()
        restored = subprocess.run(
            [BIN, "restore", str(backup), "--data-dir", str(self.folder / "copy")], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.data = self.folder / "copy"
        self.serve()
        ready = time.monotonic() - begin
        self.settle()
        self.assertEqual(self.stop(), 0)
        kept = {str(uuid.UUID(raw)) for (raw,) in self.query("SELECT lower(hex(id)) FROM executions")}
        self.assertEqual(before - kept, set(), "acknowledged before the backup and not in it")
        self.assertEqual(self.query("SELECT workflow_name, status FROM executions WHERE status <> 'completed'"), [])
        for events in self.journals().values():
            self.check_journal(events)
        self.verify()
        keys = {key for key in self.effects() - self.seen if key.startswith(asleep)}
        self.assertEqual(keys, {f"{asleep}-once-1"} if f"{asleep}-once-1" in keys else keys)
        self.assertEqual(len(keys), 1, "the timer fired under two keys, or never")
        self.report(
            "F35",
            "backup under load, kill -9, restore, start",
            cycles=cycles,
            **load.log.figures(),
            lost=0,
            duplicated=0,
            stuck=0,
            acked_before=len(before),
            in_the_copy=len(kept),
            backup_s=round(max(objective), 2),
            restore_to_ready_s=round(ready, 2),
        )

    def load_more(self, load: Load, count: int) -> None:
        wanted = len(load.log.ok) + count
        while len(load.log.ok) < wanted:
            load.over.wait(0.01)

    def test_f33_a_reader_that_holds_a_snapshot_stops_no_commit(self) -> None:
        self.serve()
        workflow = self.create({"name": "Load", "steps": [step("a", "set", {"values": "{{ 'x'.repeat(20000) + execution.id }}"})]})
        reader = sqlite3.connect(self.data / "flowpilot.db", isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM executions").fetchall()
        wal = self.data / "flowpilot.db-wal"
        with Load(self, workflow) as load:
            self.load_more(load, 20_000 if LONG else 1500)
        peak = wal.stat().st_size
        self.assertGreater(peak, 30_000_000, "the snapshot held nothing back")
        reader.execute("ROLLBACK")
        client = self.client()
        self.settle(load.log, workflow)
        # The next checkpoint may move everything, and the WAL begins anew: it grows no more, whatever is written.
        for _ in range(300):
            load.log.start(client, workflow, str(uuid.uuid4()), {"wait_seconds": 20})
        grown = wal.stat().st_size - peak
        self.assertLess(grown, 6_000_000, "the WAL still grows without the reader")
        self.assertEqual(self.stop(), 0)
        self.assertFalse(wal.exists() and wal.stat().st_size > 0, "an orderly stop leaves a WAL behind")
        self.report(
            "F33",
            "another program holds a snapshot while executions are written",
            cycles=1,
            **load.log.figures(),
            **self.audit(load.log, effects=None),
            wal_peak_mb=round(peak / 1e6),
            ack_p99_s=quantile(load.log.seconds, 0.99),
        )

    def test_f38_f110_retention_beside_load_gives_space_back_and_stalls_nobody(self) -> None:
        old, padding = (20_000 if LONG else 2000), "x" * 8000
        self.serve()
        workflow = self.create(NOOP)

        def start(_: int) -> None:
            client = Client(self.server.port)
            for _ in range(old // 16):
                client.post(f"/api/workflows/{workflow}/run/", {"input": {"p": padding}}, check=False)
            client.close()

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(start, range(16)))
        self.settle()
        alone = self.run_some(workflow, 200)
        self.assertEqual(self.stop(), 0)
        database = sqlite3.connect(self.data / "flowpilot.db")
        total = database.execute("SELECT count(*) FROM executions").fetchone()[0]
        with database:
            database.execute("UPDATE executions SET started_at = started_at - ?1, completed_at = completed_at - ?1", (40 * 86_400_000,))
        database.close()
        size = (self.data / "flowpilot.db").stat().st_size
        self.serve()
        client = self.client()
        stalls: list[float] = []
        deadline = time.monotonic() + 120
        begin = time.monotonic()
        while client.get("/api/executions/?limit=1").json["count"] > len(stalls):
            stalls += self.run_some(workflow, 1)
            self.assertLess(time.monotonic(), deadline, "retention does not get there")
        took = time.monotonic() - begin
        self.assertGreater(len(stalls), 5, "nothing ran beside it")
        self.assertEqual(self.stop(), 0)
        self.verify()
        self.assertEqual(self.query("SELECT count(*) FROM executions")[0][0], len(stalls))
        left = (self.data / "flowpilot.db").stat().st_size
        self.assertLess(left, size / 10, "the file did not shrink by 90 %")
        self.assertLess(quantile(stalls, 0.99), max(2 * quantile(alone, 0.99), 0.1))
        self.report(
            "F38, F110",
            "retention deletes everything old beside load",
            cycles=1,
            ok=len(stalls),
            fail=0,
            info=0,
            lost=0,
            duplicated=0,
            stuck=0,
            pruned=total,
            prune_per_s=round(total / took),
            bytes_a_run=size // total,
            mb_before=round(size / 1e6, 1),
            mb_after=round(left / 1e6, 1),
            run_p99_alone_s=quantile(alone, 0.99),
            run_p99_beside_s=quantile(stalls, 0.99),
            max_stall_s=quantile(stalls, 1),
        )

    def run_some(self, workflow: str, times: int) -> list[float]:
        client, out = self.client(), []
        for _ in range(times):
            begin = time.monotonic()
            self.assertEqual(client.post(f"/api/workflows/{workflow}/run/", {"wait_seconds": 20}).status, 200)
            out.append(time.monotonic() - begin)
        return out

    def test_f39_a_large_value_whose_start_was_never_recorded_is_collected(self) -> None:
        cycles = OpLog()
        for name in ("blob.rename.before", "blob.rename.after"):
            self.data = self.folder / name
            self.serve(FLOWPILOT_FAILPOINTS=f"{name}:kill@1")
            workflow = self.create(NOOP)
            body = {"input": {"big": "x" * 200_000}}
            with self.assertRaises(LOST):
                self.client().post(f"/api/workflows/{workflow}/run/", body)
            self.server.process.wait(30)
            self.assertEqual(len(self.blobs()), 1, "nothing was left behind")
            self.serve()
            deadline = time.monotonic() + 30
            while self.blobs():  # the first sweep comes right after the start
                self.assertLess(time.monotonic(), deadline, f"nobody collects {self.blobs()}")
                threading.Event().wait(0.02)
            log = OpLog()
            log.start(self.client(), workflow, name, {**body, "wait_seconds": 20})
            self.settle(log, workflow)
            self.assertEqual(self.stop(), 0)
            self.audit(log, effects=None)
            cycles.ok.update(log.ok)
        self.report(
            "F39",
            "death around the rename of a large value that no record names yet",
            cycles=2,
            **cycles.figures(),
            lost=0,
            duplicated=0,
            stuck=0,
            orphans_left=0,
        )

    def blobs(self) -> list[Path]:
        return [file for file in (self.data / "blobs").rglob("*") if file.is_file()]

    def test_f102_death_in_the_middle_of_a_fan_out_repeats_no_recorded_item(self) -> None:
        items, kills = (20_000, 10) if LONG else (1500, 3)
        self.serve()
        workflow = self.create(
            {
                "name": "Load",
                "steps": [
                    step("list", "set", {"values": f"{{{{ Array.from({{length: {items}}}, (_, i) => i) }}}}"}),
                    step(
                        "each",
                        "http_request",
                        {"method": "POST", "url": "{{ vars.url }}/echo/item", "json": {"i": "{{ index }}"}},
                        depends_on=["list"],
                        for_each="{{ steps.list.output }}",
                        max_parallel=16,
                    ),
                ],
                "output": "{{ steps.each.output.length }}",
            }
        )
        log = OpLog()
        log.start(self.client(), workflow, "fan")
        begin = time.monotonic()
        for kill in range(1, kills + 1):
            while len(self.effects() - self.seen) < items * kill // (kills + 1):  # each time another share has been done
                threading.Event().wait(0.01)
            self.kill()
            self.serve()
        aside = self.settle(log, workflow)
        took = time.monotonic() - begin
        self.assertEqual(self.client().get(f"/api/executions/{log.ok['fan']}/").json["output"], items)
        self.assertEqual(self.stop(), 0)
        audit = self.audit(log, effects={"each": items})
        again = audit["effects_repeated_with_the_same_key"]
        self.report(
            "F102",
            f"{items} items over HTTP, {kills} kills in the middle",
            cycles=kills,
            **log.figures(),
            **audit,
            set_aside=aside,
            items_per_s=round(items / took),
            redone_percent=round(100 * again / items, 2),
        )


class LyingDiskTest(ServerFaultTest):
    """The disk answers wrongly while the server runs: strace is attached to it, for the given files only."""

    def attach(self, files: list[Path], *inject: str) -> subprocess.Popen:
        options = [part for file in files for part in ("-P", str(file))]
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(self.server.process.pid), "-o", str(self.folder / "trace"), *options, *inject],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in tracer.stderr:
            if "attached" in line:
                break
        self.addCleanup(self.detach, tracer)
        return tracer

    def detach(self, tracer: subprocess.Popen) -> None:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)
        if not tracer.stderr.closed:
            tracer.stderr.close()

    def injected(self) -> int:
        return sum("INJECTED" in line for line in (self.folder / "trace").read_text(encoding="utf-8").splitlines())

    def test_f26_a_read_that_fails_is_told_and_never_answered_wrongly(self) -> None:
        needs_strace()
        self.serve()
        workflow = self.create(BIG)
        client = self.client()
        right = {}
        for n in range(40):
            id = client.post(f"/api/workflows/{workflow}/run/", {"input": {"n": n}, "wait_seconds": 20}).json["id"]
            right[id] = f"x{n}"
        self.assertEqual(self.stop(), 0)
        self.serve()  # nothing is in its caches
        client = self.client()
        client.get("/healthz")
        files = [self.data / "flowpilot.db", *(file for file in (self.data / "blobs").rglob("*") if file.is_file())]
        tracer = self.attach(files, "-e", "trace=pread64,read", "-e", "inject=pread64,read:error=EIO:when=2+3")
        statuses: dict[int, int] = {}
        for id, tail in right.items():
            reply = client.get(f"/api/executions/{id}/tasks/big/result/?offset=199999")
            statuses[reply.status] = statuses.get(reply.status, 0) + 1
            if reply.status == 200:
                self.assertEqual(reply.json["value"], tail, "a wrong value")
            else:
                self.assertEqual((reply.status, reply.code), (503, "storage.io"), reply.body)
        self.detach(tracer)
        injected = self.injected()
        self.assertGreater(injected, 3, "no read failed")
        self.assertGreater(statuses.get(503, 0), 0, statuses)
        self.assertEqual({client.get(f"/api/executions/{id}/tasks/big/result/?offset=199999").json["value"][0] for id in right}, {"x"})
        self.assertEqual(self.stop(), 0)
        self.verify()
        self.report(
            "F26",
            "every third read of the data fails with EIO",
            cycles=1,
            ok=statuses.get(200, 0),
            fail=statuses.get(503, 0),
            info=0,
            lost=0,
            duplicated=0,
            stuck=0,
            reads_failed=injected,
            wrong_values=0,
        )

    def test_f27_interrupted_and_short_writes(self) -> None:
        needs_strace()
        self.serve()
        workflow = self.create(BIG)
        self.assertEqual(self.stop(), 0)
        self.serve()
        log, client = OpLog(), self.client()
        tracer = self.attach(
            [self.data / "flowpilot.db-wal", self.data / "flowpilot.db"],
            "-e",
            "trace=pwrite64",
            "-e",
            "inject=pwrite64:error=EINTR:when=1+3",
        )
        for n in range(20):
            log.start(client, workflow, str(uuid.uuid4()), {"input": {"n": n}, "wait_seconds": 20})
        self.detach(tracer)
        interrupted = self.injected()
        self.assertGreater(interrupted, 10, "nothing was interrupted")
        self.settle(log, workflow)
        self.assertEqual(self.stop(), 0)
        self.report(
            "F27",
            "every third write to the database is interrupted",
            cycles=1,
            **log.figures(),
            **self.audit(log, effects=None),
            interrupted=interrupted,
        )

    def test_f27_a_large_value_that_the_disk_cut_short_is_not_accepted(self) -> None:
        needs_strace()
        self.serve()
        workflow = self.create(BIG)
        client = self.client()
        client.post(f"/api/workflows/{workflow}/run/", {"input": {"n": 1}, "wait_seconds": 20})
        (blob,) = [file for file in (self.data / "blobs").rglob("*") if file.is_file()]
        self.assertEqual(self.stop(), 0)
        self.data = self.folder / "other"
        self.serve()
        workflow = self.create(BIG)
        client = self.client()
        # The disk says that it took a hundred bytes of each write and keeps none of them.
        tracer = self.attach(
            [self.data / "blobs/tmp" / f"{blob.name}.{n}" for n in range(3)], "-e", "trace=write", "-e", "inject=write:retval=100:when=1"
        )
        id = client.post(f"/api/workflows/{workflow}/run/", {"input": {"n": 1}, "wait_seconds": 20}).json["id"]
        self.detach(tracer)
        self.assertEqual(self.injected(), 1, "the write was not reached")
        reply = client.get(f"/api/executions/{id}/tasks/big/result/?offset=199999")
        self.assertEqual((reply.status, reply.code), (503, "storage.corrupt"), reply.body)
        self.assertEqual(self.stop(), 0)
        verified = subprocess.run([BIN, "verify", "--data-dir", str(self.data)], capture_output=True, text=True, timeout=60)
        self.assertEqual(verified.returncode, 1, verified.stdout)
        self.assertIn(id, verified.stdout)
        self.report("F27", "the disk drops a part of a large value", cycles=1, ok=1, fail=1, info=0, bad_values_accepted=0)

    def test_f31_a_file_system_that_turns_read_only_under_it(self) -> None:
        if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
            self.skipTest("needs root and mkfs.ext4")
        image, disk = self.folder / "image", self.folder / "disk"
        disk.mkdir()
        with open(image, "wb") as file:
            file.truncate(96 << 20)
        for command in (["mkfs.ext4", "-q", "-F", str(image)], ["mount", "-o", "loop,errors=remount-ro", str(image), str(disk)]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                self.skipTest(f"{command[0]}: {done.stderr.strip()[:80]}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], capture_output=True)
        device = subprocess.run(["findmnt", "-no", "SOURCE", str(disk)], capture_output=True, text=True, check=True).stdout.strip()
        trigger = Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"
        if not trigger.exists():
            self.skipTest("this kernel has no ext4 trigger_fs_error")
        self.data = disk
        self.serve()
        workflow = self.create(NOOP)
        log = OpLog()
        client = self.client()
        for _ in range(20):
            log.start(client, workflow, str(uuid.uuid4()), {"wait_seconds": 20})
        trigger.write_text("1", encoding="utf-8")
        try:
            for _ in range(100):
                key = str(uuid.uuid4())
                before = len(log.ok)
                log.start(client, workflow, key)
                self.assertEqual(len(log.ok), before, "acknowledged on a read-only disk")
        except LOST:
            pass
        self.server.process.wait(30)
        self.assertEqual(self.server.process.returncode, 7)
        said = self.server.drain_log()
        self.assertRegex(said, "storage.readonly|storage.io")
        told = "storage.readonly" if "storage.readonly" in said else "storage.io"
        self.kill()
        subprocess.run(["umount", str(disk)], check=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(disk)], check=True)
        self.serve()
        self.settle(log, workflow)
        self.assertEqual(self.stop(), 0)
        self.report(
            "F31",
            "ext4 turns read-only under a running server (an error of the file system)",
            cycles=1,
            **log.figures(),
            **self.audit(log, effects=None),
            acks_after=0,
            exit=7,
            code=told,
        )


if __name__ == "__main__":
    unittest.main(verbosity=2)
