"""For unit tests: runs a function as a worker would, or a whole workflow on the real engine; neither needs a server."""
from __future__ import annotations

import asyncio
import inspect
import json
import os
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .attempt import Attempt
from .capture import captured
from .execution import Execution
from .task import TaskType, replaced_tasks
from .worker import Worker
from .workflow import Workflow

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


_PREFIX = "override."


def run_workflow(workflow: Union[Workflow, Mapping[str, Any], str, Path], input: Any = None, *, vars: Optional[Mapping[str, str]] = None, overrides: Optional[Mapping[str, Any]] = None,
                 approve: Sequence[str] = (), reject: Sequence[str] = (), signals: Optional[Mapping[str, Any]] = None, timeout_seconds: float = 60.0,
                 program: Optional[str] = None) -> Execution:
    """Runs a workflow once on the real engine, in a process and a folder of its own, and gives the execution, however it ended; functions
    run in this process, so what a test has patched holds.

    workflow: a Workflow, a document, or a file. overrides: by step id, what the step does instead of its work: a result, an exception to
    raise, or a callable that is given the rendered config (with its retries and conditions as they are). Not for steps that the engine
    decides (conditional, set, delay, ...). approve, reject: ids of approval steps. signals: by name, sent at the start. program: the
    flowpilot binary; default FLOWPILOT_BIN, then PATH. Raises RuntimeError when the workflow can not run at all, with every mistake in it,
    and TimeoutError.
    """
    found = program or os.environ.get("FLOWPILOT_BIN") or shutil.which("flowpilot")
    if not found:
        raise RuntimeError("run_workflow needs the flowpilot program: put it on PATH, or name it in FLOWPILOT_BIN")
    replaced = {_PREFIX + step: _make_override(_PREFIX + step, what) for step, what in (overrides or {}).items()}
    with tempfile.TemporaryDirectory(prefix="flowpilot-test-") as folder, replaced_tasks(replaced):
        place = Path(folder)
        (place / "input.json").write_text(json.dumps({} if input is None else input), encoding="utf-8")
        if isinstance(workflow, (str, Path)):
            document = Path(workflow)
        else:
            document = place / "workflow.json"
            content = workflow.to_document() if isinstance(workflow, Workflow) else dict(workflow)
            document.write_text(json.dumps(content), encoding="utf-8")
        command = [found, "run", str(document), "-o", "json", "--input-file", str(place / "input.json"), "--data-dir", str(place / "data")]
        for flag, values in (("--override", (overrides or {}).keys()), ("--approve", approve), ("--reject", reject),
                             ("--var", (f"{name}={value}" for name, value in (vars or {}).items())),
                             ("--signal", (f"{name}={json.dumps(value)}" for name, value in (signals or {}).items()))):
            for value in values:
                command += [flag, value]
        return _run_program(command, str(place / "spool"), timeout_seconds)


def _run_program(command: List[str], spool: str, timeout_seconds: float) -> Execution:
    door, told = os.pipe()
    try:
        process = subprocess.Popen([*command, "--gate-fd", str(told)], pass_fds=[told], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(told)
    with process, os.fdopen(door) as reader:
        line = reader.readline()
        worker = Worker(**json.loads(line), name="test", spool=spool, drain_seconds=0.0, quiet=True) if line else None
        thread = threading.Thread(target=worker.run, daemon=True) if worker else None
        try:
            with captured():
                if thread:
                    thread.start()
                output, said = process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise TimeoutError(f"the workflow had not ended after {timeout_seconds:g} s") from None
        finally:
            if worker and thread:
                worker.stop()
                thread.join(5.0)
    if process.returncode not in (0, 1) or not output.strip():
        raise RuntimeError(said.strip() or f"flowpilot ended with {process.returncode}")
    return Execution(json.loads(output))


def _make_override(name: str, what: Any) -> TaskType:
    def act(**config: Any) -> Any:
        if isinstance(what, BaseException) or (inspect.isclass(what) and issubclass(what, BaseException)):
            raise what
        return what(config) if callable(what) else what

    spec = {"type": name, "title": name, "description": "", "queue": "default", "idempotent": True, "config_schema": {"type": "object", "properties": {}, "additionalProperties": True}}
    return TaskType(name, act, spec, {}, None, True, False)
