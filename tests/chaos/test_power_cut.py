#!/usr/bin/env python3
"""Cuts the power: ext4 on a loop file is shut down without flushing its log (EXT4_IOC_SHUTDOWN), and mounted again. What was acknowledged must be there.
Needs root, loop devices and POWER_CUT_DRIVER; skipped with a reason elsewhere."""
import fcntl
import os
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

DRIVER = os.environ["POWER_CUT_DRIVER"]
CUTS = int(os.environ.get("FLOWPILOT_POWER_CUTS", "5"))
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


def call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"{' '.join(command[:2])}: {done.stderr.strip()}")


class PowerCutTest(unittest.TestCase):
    def setUp(self) -> None:
        if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
            self.skipTest("needs root and mkfs.ext4")
        self.folder = Path(tempfile.mkdtemp(prefix="flowpilot-power-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.image, self.mount = self.folder / "disk", self.folder / "mount"
        self.mount.mkdir()
        with open(self.image, "wb") as disk:
            disk.truncate(96 << 20)
        call("mkfs.ext4", "-q", "-F", str(self.image))
        call("mount", "-o", "loop", str(self.image), str(self.mount))
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.mount)], capture_output=True)

    def cut(self) -> None:
        folder = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as error:
            self.skipTest(f"this file system can not be shut down: {error}")
        finally:
            os.close(folder)

    def acknowledged_until_cut(self, mode: str, count: int) -> list[str]:
        with subprocess.Popen([DRIVER, str(self.mount / "data"), mode], stdout=subprocess.PIPE, text=True) as driver:
            ids = [driver.stdout.readline().strip() for _ in range(count)]
            self.cut()
            ids += [line.strip() for line in driver.stdout]
            driver.wait(30)
        call("umount", str(self.mount))
        call("mount", "-o", "loop", str(self.image), str(self.mount))
        self.assertTrue(all(ids), "the driver ended early")
        return ids

    def kept(self) -> set[str]:
        database = sqlite3.connect(self.mount / "data" / "flowpilot.db")
        try:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            rows = database.execute("SELECT lower(hex(id)) FROM executions e WHERE EXISTS (SELECT 1 FROM journal j WHERE j.execution = e.number)")
            return {"-".join((row[:8], row[8:12], row[12:16], row[16:20], row[20:])) for (row,) in rows}
        except sqlite3.OperationalError:
            return set()  # not even the schema was kept
        finally:
            database.close()

    def test_every_acknowledged_execution_is_kept(self) -> None:
        acknowledged: list[str] = []
        for cut in range(CUTS):
            acknowledged += self.acknowledged_until_cut("full", 200 + 150 * cut)
            self.assertEqual([name for name in acknowledged if name not in self.kept()], [])
        print(f"{CUTS} power cuts, {len(acknowledged)} acknowledged executions, all kept", flush=True)

    def test_the_same_cut_bites_when_commits_are_not_synced(self) -> None:
        acknowledged = self.acknowledged_until_cut("normal", 500)
        kept = self.kept()
        lost = [name for name in acknowledged if name not in kept]
        self.assertTrue(lost, "a cut that loses nothing without syncs would prove nothing with them")
        print(f"without syncs {len(lost)} of {len(acknowledged)} are lost", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
