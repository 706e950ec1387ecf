"""FlowPilot's Python SDK: typed functions as durable steps of workflows.

    from flowpilot import task

    @task(retries=5)
    def charge(customer: str, amount: float) -> dict:
        ...

`python -m flowpilot worker --server URL MODULE` carries them out; `flowpilot serve --tasks FOLDER` does that by itself.
"""
from .context import Context, TaskLog, current
from .failure import Cancelled, TaskFailure
from .field import Field
from .task import Retry, TaskType, list_tasks, task

__version__ = "0.1.0"
__all__ = ["Cancelled", "Context", "Field", "Retry", "TaskFailure", "TaskLog", "TaskType", "current", "list_tasks", "task", "__version__"]
