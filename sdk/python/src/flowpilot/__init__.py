"""FlowPilot's Python SDK: typed functions as durable steps of workflows.

    from flowpilot import task

    @task(retries=5)
    def charge(customer: str, amount: float) -> dict:
        ...

`python -m flowpilot worker --server URL MODULE` carries them out; `flowpilot serve --tasks FOLDER` does that by itself.
"""
from .client import AsyncClient, Client
from .context import Context, TaskLog, current
from .execution import Execution, ExecutionFailed
from .expression import Expression
from .failure import Cancelled, TaskFailure
from .field import Field
from .link import ApiError, Unreachable
from .task import Retry, TaskType, list_tasks, task
from .workflow import Edge, Step, Workflow

__version__ = "0.1.0"
__all__ = ["ApiError", "AsyncClient", "Cancelled", "Client", "Context", "Edge", "Execution", "ExecutionFailed", "Expression", "Field", "Retry", "Step", "TaskFailure",
           "TaskLog", "TaskType", "Unreachable", "Workflow", "current", "list_tasks", "task", "__version__"]
