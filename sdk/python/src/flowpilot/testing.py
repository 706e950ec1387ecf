"""Runs a function as a worker would, without a server: for unit tests."""
from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Tuple

from .attempt import Attempt
from .capture import captured
from .task import TaskType

_MOST_BYTES = 12 << 20  # as a server's default


@dataclass
class TaskRun:
    """What became of one attempt.

    result: JSON, as later steps would see it (None when it failed). error: {code, message, retryable, details}, or None. logs: (level, text)
    of what was logged and printed. heartbeat: the details of the last one.
    """

    result: Any = None
    error: Optional[Dict[str, Any]] = None
    logs: List[Tuple[str, str]] = field(default_factory=list)
    heartbeat: Any = None


def run_task(function: Callable[..., Any], *, attempt: int = 1, timeout_seconds: float = 300.0, last_details: Any = None, idempotency_key: str = "test-key",
             cancelled: bool = False, **config: Any) -> TaskRun:
    """Carries out one attempt of a function made with `@task`. `config` is what a step would give it, as JSON: it goes through the same
    conversions, and results and failures come out as a server would get them. cancelled: the context says so from the beginning. Time-outs
    are not enforced. Raises TypeError for a function without `@task`."""
    found: Optional[TaskType] = getattr(function, "flowpilot_task", None)
    if found is None:
        raise TypeError(f"{getattr(function, '__name__', function)!r} is no task: put @task above it")
    grant = {"lease": "test", "execution_id": "00000000-0000-7000-8000-000000000000", "step": found.name.rsplit(".", 1)[-1], "index": None, "attempt": attempt,
             "step_type": found.name, "config": json.loads(json.dumps(config)), "idempotency_key": idempotency_key, "timeout_seconds": timeout_seconds,
             "last_details": last_details}
    one = Attempt(grant, lambda: None)
    one.type = found
    if cancelled:
        one.context.cancel()
    with captured():
        report = json.loads(asyncio.run(one.run_coroutine(_MOST_BYTES)) if found.is_coroutine else one.run(_MOST_BYTES))
    return TaskRun(report.get("result"), report.get("error"), [(level, text) for _, level, text in one.context.log.take(last=True)], one.context.take_details()[1])
