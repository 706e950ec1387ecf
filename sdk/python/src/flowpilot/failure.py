"""How an attempt fails, and how any exception becomes an error that can be sent."""
from __future__ import annotations

import os
import sys
import traceback
from typing import Any, Dict, Mapping, Optional

from . import codes

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_MOST_MESSAGE = 4000
_MOST_TRACEBACK = 32_000


class TaskFailure(Exception):
    """Raise it in a function to say exactly how the attempt failed.

    message: one sentence for people. code: lower-case words joined by dots, such as `payment.declined`; a step's
    `retry_config.non_retryable` may name it. retryable: may another attempt succeed? details: JSON for whoever looks at it.
    """

    def __init__(self, message: str, *, code: str = codes.EXCEPTION, retryable: bool = True, details: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retryable = retryable
        self.details = dict(details) if details is not None else None


class Cancelled(BaseException):
    """Raised inside a function whose attempt was cancelled, ran out of time or lost its lease. Clean up and let it pass."""


def clip(text: str, most: int) -> str:
    """`text` as something that can be sent: no lone surrogates, at most `most` characters."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def say(error: BaseException) -> str:
    """"ValueError: no", also for exceptions that can not be printed."""
    try:
        text = str(error)
    except BaseException:  # whatever a user's __str__ does
        text = "(its message can not be printed)"
    return clip(f"{type(error).__name__}: {text}" if text else type(error).__name__, _MOST_MESSAGE)


def user_traceback(error: BaseException, root: Optional[str] = None) -> str:
    """The traceback without this package's own frames, paths relative to `root` (the working directory by default)."""
    root = os.path.join(os.path.abspath(root or os.getcwd()), "")
    lines = []
    try:
        frames = traceback.extract_tb(error.__traceback__)
    except Exception:
        return ""
    for frame in frames:
        path = os.path.abspath(frame.filename)
        if os.path.dirname(path) == _PACKAGE or "flowpilot-sdk-" in path or "importlib" in frame.filename:
            continue
        shown = path[len(root):] if path.startswith(root) else os.path.basename(path)
        lines.append(f'  File "{shown}", line {frame.lineno}, in {frame.name}')
        if frame.line:
            lines.append(f"    {frame.line}")
    head = ["Traceback (most recent call last):"] if lines else []
    return clip("\n".join([*head, *lines, say(error)]), _MOST_TRACEBACK)


def to_error(error: BaseException, non_retryable: tuple = (), root: Optional[str] = None) -> Dict[str, Any]:
    """{code, message, retryable, details} of whatever ended an attempt."""
    details: Dict[str, Any] = {"type": type(error).__name__, "traceback": user_traceback(error, root)}
    cause = error.__cause__ or error.__context__
    if cause is not None:
        details["cause"] = say(cause)
    retryable = not isinstance(error, tuple(non_retryable))
    if isinstance(error, TaskFailure):
        more = error.details or {}
        return {"code": error.code, "message": clip(str(error.message), _MOST_MESSAGE), "retryable": error.retryable and retryable, "details": {**details, **more}}
    if isinstance(error, SystemExit):
        return {"code": codes.EXIT, "message": f"the function called sys.exit({error.code!r})", "retryable": False, "details": details}
    if isinstance(error, RecursionError):
        return {"code": codes.RECURSION, "message": "the function recursed too deeply", "retryable": False, "details": details}
    if isinstance(error, MemoryError):
        return {"code": codes.MEMORY, "message": "the function ran out of memory", "retryable": retryable, "details": details}
    return {"code": codes.EXCEPTION, "message": say(error), "retryable": retryable, "details": details}


def note(text: str) -> None:
    """A line about the worker itself, on its standard error."""
    stream = sys.__stderr__
    if stream is None:
        return
    try:
        stream.write(f"flowpilot: {clip(text, 8000)}\n")
        stream.flush()
    except (OSError, ValueError):
        pass
