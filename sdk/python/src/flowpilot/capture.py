"""What a function prints and logs goes to the log of its attempt; what nobody's function says stays with the worker."""
from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any, Iterator, TextIO

from .context import current_context

_LONGEST = 16_384  # characters of a line without an end
_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"))


class TaskStream:
    """Stands for sys.stdout or sys.stderr: whole lines of a task become lines of its log."""

    def __init__(self, own: TextIO, level: str) -> None:
        self._own = own
        self._level = level

    def write(self, text: Any) -> int:
        context = current_context.get()
        if context is None:
            return self._own.write(text)
        text = text if isinstance(text, str) else str(text)
        partial, written = getattr(context, "_partial", "") + text, len(text)
        if getattr(context, "_cut", False) and partial.startswith("\n"):
            partial = partial[1:]  # the end of a line that was too long to wait for it
        context._cut = len(partial) > _LONGEST and "\n" not in partial[-_LONGEST:]  # type: ignore[attr-defined]
        if "\n" in partial or context._cut:  # type: ignore[attr-defined]
            *lines, partial = partial.split("\n")
            if context._cut:  # type: ignore[attr-defined]
                lines, partial = [*lines, partial], ""
            for line in lines:
                context.log.write(self._level, line)
        context._partial = partial  # type: ignore[attr-defined]
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if current_context.get() is None:
            self._own.flush()

    def isatty(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


class TaskLogHandler(logging.Handler):
    """`logging` inside a task: the record's message, and its traceback, go to the task's log."""

    def emit(self, record: logging.LogRecord) -> None:
        context = current_context.get()
        if context is None:
            return
        try:
            text = self.format(record)
        except Exception:
            text = "(a log record that can not be printed)"
        level = next((name for least, name in _LEVELS if record.levelno >= least), "debug")
        for line in text.split("\n"):
            context.log.write(level, line)


def flush_partial(context: Any) -> None:
    """What was printed without a line end."""
    partial = getattr(context, "_partial", "")
    if partial:
        context._partial = ""
        context.log.write("info", partial)


def install() -> None:
    """Once per process."""
    if isinstance(sys.stdout, TaskStream):
        return
    sys.stdout = TaskStream(sys.stdout, "info")  # type: ignore[assignment]
    sys.stderr = TaskStream(sys.stderr, "warning")  # type: ignore[assignment]
    root = logging.getLogger()
    root.addHandler(TaskLogHandler())
    if root.level in (logging.NOTSET, logging.WARNING):
        root.setLevel(logging.INFO)


@contextlib.contextmanager
def captured() -> Iterator[None]:
    """The same for as long as the block runs."""
    root, handler = logging.getLogger(), TaskLogHandler()
    before = (sys.stdout, sys.stderr, root.level)
    sys.stdout, sys.stderr = TaskStream(sys.stdout, "info"), TaskStream(sys.stderr, "warning")  # type: ignore[assignment]
    root.addHandler(handler)
    root.setLevel(min(root.level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before[:2]
        root.removeHandler(handler)
        root.setLevel(before[2])
