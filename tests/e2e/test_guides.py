"""The guides do what they say: each block is carried out, against the real binary."""
import os
import socket
import tempfile
import unittest
from pathlib import Path

from guide import Shell, carry_out, matches
from harness import BIN, ROOT


class GuidesTest(unittest.TestCase):
    def test_python(self):
        self.assertGreaterEqual(self.carry_out("python.md"), 15)

    def test_a_guide_is_held_to_what_it_prints(self):
        for expected, printed, holds in (("a\n...\nd...f\n", "a\nb\nc\nd e f\n", True), ("...\nb\n", "b\n", True), ("", "", True), ("a\n", "a\nb\n", False),
                                         ("a\n", "", False), ("...a\n", "ba\nb\n", False)):
            self.assertEqual(matches(expected, printed), holds, (expected, printed))

    def carry_out(self, name: str) -> int:
        """In a folder that looks like a clone with a build."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="flowpilot-guide-") as folder:
            clone = Path(folder)
            (clone / "build/release").mkdir(parents=True)
            (clone / "build/release/flowpilot").symlink_to(BIN)
            (clone / "sdk").symlink_to(ROOT / "sdk")
            url = f"http://127.0.0.1:{port}"
            environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "FLOWPILOT_PORT": str(port),
                           "FLOWPILOT_SERVER": url, "FLOWPILOT_ADDRESS": url}
            shell = Shell(clone, environment)
            try:
                return carry_out(ROOT / "docs/guides" / name, shell)
            finally:
                shell.close()


if __name__ == "__main__":
    unittest.main()
