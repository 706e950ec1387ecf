"""An execution as the API gives it."""
from __future__ import annotations

from typing import Any, Dict, List, Optional

_ENDED = ("completed", "failed", "cancelled")


class ExecutionFailed(Exception):
    """The execution failed or was cancelled; `execution` has everything about it."""

    def __init__(self, execution: "Execution") -> None:
        self.execution = execution
        where = next((f"step {task['step']}: " for task in execution.tasks if task.get("status") == "failed"), "")
        super().__init__(f"execution {execution.id} of {execution.workflow_name} {execution.status}: {where}{execution.error_message or 'no reason given'}")


class Execution:
    """`data` is the whole resource (`/docs` of a server describes it); the properties are what programs mostly ask."""

    def __init__(self, data: Dict[str, Any]) -> None:
        self.data = data

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def workflow_name(self) -> str:
        return str(self.data.get("workflow_name", ""))

    @property
    def status(self) -> str:
        """pending, running, waiting, paused, completed, failed, cancelled."""
        return str(self.data["status"])

    @property
    def has_ended(self) -> bool:
        return self.status in _ENDED

    @property
    def output(self) -> Any:
        """JSON; None before the end, and in lists."""
        return self.data.get("output")

    @property
    def error(self) -> Optional[Dict[str, Any]]:
        """{code, message, ...} of what failed it, or None."""
        return self.data.get("error")

    @property
    def error_message(self) -> str:
        return str(self.data.get("error_message") or "")

    @property
    def tasks(self) -> List[Dict[str, Any]]:
        """One per step and item: {id, step, index, status, result, error, retry_count, ...}; empty in lists."""
        return self.data.get("tasks") or []

    def task(self, step: str, index: Optional[int] = None) -> Dict[str, Any]:
        """The task of a step, or of one item of it. Raises KeyError."""
        for found in self.tasks:
            if found["step"] == step and found.get("index") == index:
                return found
        raise KeyError(f"execution {self.id} has no task of step {step}" + ("" if index is None else f" for item {index}"))

    def check(self) -> "Execution":
        """Itself when it completed. Raises ExecutionFailed when it failed or was cancelled."""
        if self.status in ("failed", "cancelled"):
            raise ExecutionFailed(self)
        return self

    def __repr__(self) -> str:
        return f"Execution({self.id}, {self.workflow_name!r}, {self.status})"
