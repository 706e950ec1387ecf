"""What a running function may ask and say."""
from __future__ import annotations

import contextvars
import datetime
import threading
import time
from typing import Any, Callable, List, Optional, Tuple

from .failure import Cancelled, clip

Line = Tuple[float, str, str]  # Unix time in seconds, level, text

_MOST_LINE_BYTES = 16 << 10
_MOST_LINES = 10_000
_MOST_BYTES = 1 << 20

current_context: "contextvars.ContextVar[Optional[Context]]" = contextvars.ContextVar("flowpilot_context", default=None)


class TaskLog:
    """The log of one attempt: `ctx.log.info("paid %s", amount)`. Thread-safe, bounded like the server's: 16 KiB a line, 10,000 lines
    and 1 MiB an attempt; what is more is counted and said at the end."""

    def __init__(self, wake: Optional[Callable[[], None]] = None) -> None:
        self._lock = threading.Lock()
        self._lines: List[Line] = []
        self._count = 0
        self._bytes = 0
        self._dropped = 0
        self._wake = wake

    def debug(self, text: Any, *args: Any) -> None:
        self.write("debug", text, args)

    def info(self, text: Any, *args: Any) -> None:
        self.write("info", text, args)

    def warning(self, text: Any, *args: Any) -> None:
        self.write("warning", text, args)

    def error(self, text: Any, *args: Any) -> None:
        self.write("error", text, args)

    def write(self, level: str, text: Any, args: tuple = ()) -> None:
        """One line; `args` fill its % places. Never raises."""
        try:
            line = str(text) % args if args else str(text)
        except Exception:
            line = "(a log line that can not be printed)"
        if len(line) > _MOST_LINE_BYTES:
            line = line[:_MOST_LINE_BYTES] + f"\u2026 ({len(line)} characters)"
        line = clip(line, _MOST_LINE_BYTES + 64)
        with self._lock:
            if self._count >= _MOST_LINES or self._bytes >= _MOST_BYTES:
                self._dropped += 1
                return
            self._count += 1
            self._bytes += len(line)
            first = not self._lines
            self._lines.append((time.time(), level, line))
        if first and self._wake is not None:
            self._wake()

    def take(self, last: bool = False) -> List[Line]:
        """What came since the last call; with `last` a line that says how many were dropped."""
        with self._lock:
            lines, self._lines = self._lines, []
            if last and self._dropped:
                lines.append((time.time(), "warning", f"{self._dropped} more lines were dropped (a task's log holds 10,000 lines and 1 MiB)"))
                self._dropped = 0
            return lines


class Context:
    """One attempt, as its function sees it: a parameter annotated `Context`, or `flowpilot.current()`.

    execution_id, step, index (of the item of a for_each step, or None), attempt (from 1), idempotency_key (the same for every attempt
    of this task: pass it on to whatever must happen once), deadline (UTC), last_details (what the attempt before this one said last
    in a heartbeat: go on from there), log.
    """

    def __init__(self, *, execution_id: str = "", step: str = "", index: Optional[int] = None, attempt: int = 1, idempotency_key: str = "",
                 timeout_seconds: float = 300.0, last_details: Any = None, wake: Optional[Callable[[], None]] = None) -> None:
        self.execution_id = execution_id
        self.step = step
        self.index = index
        self.attempt = attempt
        self.idempotency_key = idempotency_key
        self.last_details = last_details
        self.log = TaskLog(wake)
        self._ends = time.monotonic() + timeout_seconds
        self._cancelled = threading.Event()
        self._details: Any = None
        self._said = False

    @property
    def deadline(self) -> datetime.datetime:
        """When the attempt runs out of time, in UTC."""
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.remaining())

    def remaining(self) -> float:
        """Seconds until then; negative afterwards."""
        return self._ends - time.monotonic()

    @property
    def cancelled(self) -> bool:
        """Should the function stop? It was cancelled, ran out of time, or the server gave its lease to another worker."""
        return self._cancelled.is_set()

    def check_cancelled(self) -> None:
        """Raises `Cancelled` when it should."""
        if self.cancelled:
            raise Cancelled()

    def wait_cancelled(self, seconds: Optional[float] = None) -> bool:
        """Sleeps that long, or until it is cancelled: True then."""
        return self._cancelled.wait(seconds)

    def heartbeat(self, details: Any = None) -> None:
        """Says how far it is. `details` is JSON: people see it in the worker list, and the next attempt gets the last one. The lease is
        kept alive without this."""
        self._details = details
        self._said = True

    def progress(self, fraction: float, note: str = "") -> None:
        """A heartbeat with {"progress": 0 to 1, "note": text}."""
        self.heartbeat({"progress": max(0.0, min(1.0, float(fraction))), "note": note})

    # ---- the worker's side

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def has_news(self) -> bool:
        """Was there a heartbeat that nobody has taken?"""
        return self._said

    def take_details(self) -> Tuple[bool, Any]:
        said, self._said = self._said, False
        return said, self._details


def current() -> Context:
    """The context of the function that runs. LookupError outside of one."""
    context = current_context.get()
    if context is None:
        raise LookupError("no task is running here: flowpilot.current() works inside functions that a worker or run_task runs")
    return context


__all__ = ["Context", "TaskLog", "current"]
