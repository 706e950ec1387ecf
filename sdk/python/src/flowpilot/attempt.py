"""One leased attempt, from its config to the report that is sent."""
from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any, Callable, Dict, Optional

from . import codes
from .capture import flush_partial
from .context import Context, current_context
from .convert import InputError, ResultError, to_json
from .failure import Cancelled, to_error
from .task import TaskType, find_task


class Attempt:
    """A lease and what became of it. `why` says why it was cancelled: timeout, cancelled or lost."""

    __slots__ = ("lease", "grant", "type", "context", "ends", "why", "thread_id", "future", "told_at", "reported", "interrupting", "interrupted")

    def __init__(self, grant: Dict[str, Any], wake: Callable[[], None]) -> None:
        self.lease: str = grant["lease"]
        self.grant = grant
        self.type: Optional[TaskType] = find_task(grant["step_type"])
        self.context = Context(execution_id=grant["execution_id"], step=grant["step"], index=grant.get("index"), attempt=grant["attempt"],
                               idempotency_key=grant["idempotency_key"], timeout_seconds=grant["timeout_seconds"], last_details=grant.get("last_details"), wake=wake)
        self.ends = time.monotonic() + grant["timeout_seconds"]
        self.why = ""
        self.thread_id = 0
        self.future: Optional["asyncio.Future[Any]"] = None
        self.told_at = 0.0  # when it was asked to stop
        self.reported = False
        self.interrupting = False
        self.interrupted = False

    def run(self, most_bytes: int) -> str:
        """Carries a plain function out on this thread; the report as JSON text."""
        token = current_context.set(self.context)
        try:
            if self.type is None:
                return self.failed(unknown_type(self.grant["step_type"]))
            result = self.type.function(**self.type.arguments(self.grant["config"], self.context))
            flush_partial(self.context)
            return self.completed(result, most_bytes)
        except BaseException as error:  # whatever a function may raise, SystemExit and KeyboardInterrupt included
            return self.raised(error)
        finally:
            current_context.reset(token)

    async def run_coroutine(self, most_bytes: int) -> str:
        """The same for a coroutine function, on the event loop."""
        token = current_context.set(self.context)
        try:
            assert self.type is not None
            result = await self.type.function(**self.type.arguments(self.grant["config"], self.context))
            flush_partial(self.context)
            return self.completed(result, most_bytes)
        except BaseException as error:
            return self.raised(error)
        finally:
            current_context.reset(token)

    def completed(self, result: Any, most_bytes: int) -> str:
        try:
            text = json.dumps(to_json(result), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (ResultError, RecursionError) as error:
            return self.failed({"code": codes.RESULT, "message": str(error), "retryable": False, "details": None})
        size = len(text) if text.isascii() else len(text.encode("utf-8"))
        if size > most_bytes:
            return self.failed({"code": codes.TOO_LARGE, "message": f"the result has {size} bytes; the server takes {most_bytes}. Write it to a file and return where it is", "retryable": False, "details": None})
        return f'{{"lease":"{self.lease}","result":{text}}}'

    def raised(self, error: BaseException) -> str:
        with contextlib.suppress(BaseException):
            flush_partial(self.context)
        if self.why == "timeout":
            return self.failed(self.timeout_error())
        if isinstance(error, (Cancelled, asyncio.CancelledError)):
            return self.failed({"code": codes.CANCELLED, "message": "the function was cancelled", "retryable": True, "details": None})
        if isinstance(error, InputError):
            return self.failed({"code": codes.INPUT, "message": str(error)[:4000], "retryable": False, "details": None})
        found = to_error(error, self.type.non_retryable if self.type else ())
        return self.failed(found)

    def failed(self, error: Dict[str, Any]) -> str:
        try:
            text = json.dumps(to_json(error), ensure_ascii=False, allow_nan=False)
        except Exception:
            text = json.dumps({"code": error.get("code", codes.EXCEPTION), "message": str(error.get("message", ""))[:4000], "retryable": bool(error.get("retryable"))})
        return f'{{"lease":"{self.lease}","error":{text}}}'

    def timeout_error(self) -> Dict[str, Any]:
        return {"code": codes.TIMEOUT, "message": f"the attempt took longer than {self.grant['timeout_seconds']:g} s", "retryable": True, "details": None}


def unknown_type(name: str) -> Dict[str, Any]:
    return {"code": codes.UNKNOWN_TYPE, "message": f"this worker has no function {name} (any more)", "retryable": True, "details": None}
