"""Carries out a guide as its reader would: every fenced block of its Markdown, in order.

    ```python FILE     (or yaml, json ...) is written to FILE, below where the shell stands
    ```console         lines with `$ ` are typed into one bash; what follows each is what it must print
    ```console NAME    its command is left running, until the end, as soon as it has printed what follows
    ```python          without a name: must at least be Python

In what is expected, `...` stands for any text, and a line of it alone for any number of lines.
"""
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    line: int
    language: str
    name: str
    text: str


def blocks_of(guide: Path) -> list[Block]:
    text = guide.read_text(encoding="utf-8")
    return [Block(text.count("\n", 0, found.start()) + 1, found[1], found[2] or "", found[3]) for found in _FENCE.finditer(text)]


def commands_of(block: Block) -> list[tuple[str, str]]:
    """(command, what it must print) of a console block."""
    out: list[tuple[str, str]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            out.append((line[2:], ""))
        else:
            command, expected = out.pop()
            out.append((command, expected + line + "\n"))
    return out


def matches(expected: str, printed: str) -> bool:
    pattern = ""
    for line in expected.splitlines():
        pattern += "(?:.*\n)*?" if line == "..." else ".*".join(re.escape(part) for part in line.split("...")) + "\n"
    return re.fullmatch(pattern, printed) is not None


class Shell:
    """One bash in `folder`, for all commands of a guide."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.process = subprocess.Popen(["bash", "--norc"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        start_new_session=True)
        self.run("set -m")

    def run(self, command: str) -> str:
        """What it printed. Its status is not looked at: a guide that expects a failure says so with `|| echo`."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\necho; echo --done--\n")
        self.process.stdin.flush()
        printed = ""
        for line in self.process.stdout:
            if line == "--done--\n":
                return printed.removesuffix("\n")
            printed += line
        raise AssertionError(f"bash ended after: {command}\n{printed}")

    def here(self) -> Path:
        return Path(self.run("pwd").strip())

    def leave_running(self, name: str, command: str, expected: str) -> None:
        """Starts it in a subshell of its own, with its output in a file, and waits until that is as expected."""
        log = self.folder / f"{name}.log"
        self.run(f"( {command} ) >'{log}' 2>&1 &")
        ends = time.monotonic() + 30
        while True:
            printed = log.read_text() if log.exists() else ""
            if matches(expected, printed):
                return
            if time.monotonic() > ends:
                raise AssertionError(f"{command}\nmust print\n{expected}\nbut in 30 s it printed\n{printed}")
            time.sleep(0.02)

    def close(self) -> None:
        """Ends what was left running, newest first, and the shell."""
        self.run("for job in $(jobs -p | tac); do kill -TERM -- -$job; wait $job; done")
        self.process.communicate()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def carry_out(guide: Path, shell: Shell) -> int:
    """The number of blocks. Raises AssertionError with the line of the guide that did not hold."""
    blocks = blocks_of(guide)
    for block in blocks:
        where = f"{guide.name}:{block.line}"
        if block.language == "console" and block.name:
            for command, expected in commands_of(block):
                shell.leave_running(block.name, command, expected)
        elif block.language == "console":
            for command, expected in commands_of(block):
                printed = shell.run(command)
                if not matches(expected, printed + ("\n" if printed and not printed.endswith("\n") else "")):
                    raise AssertionError(f"{where}: {command}\nmust print\n{expected}\nbut printed\n{printed}")
        elif block.name:
            (shell.here() / block.name).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            compile(block.text, where, "exec")
        else:
            raise AssertionError(f"{where}: nobody runs this block")
    return len(blocks)
