"""Workflows written in Python: the same documents that the canvas draws."""
from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

from .expression import Expression, steps_used, to_document
from .task import Retry, TaskType

_ID = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


class Edge:
    """A dependency that is taken only when `step` leaves through the port `when`."""

    def __init__(self, step: "Step", when: str) -> None:
        self.step, self.when = step, when


class Step:
    """One step of a workflow; each method gives the step back, so that calls can be chained."""

    def __init__(self, step_id: str, step_type: str, config: Dict[str, Any]) -> None:
        self.id = step_id
        self._document: Dict[str, Any] = {"id": step_id, "step_type": step_type}
        if config:
            self._document["config"] = to_document(config)
        self._after: Optional[List[Any]] = None

    @property
    def output(self) -> Expression:
        """What the step gives, for the configs of later steps."""
        return Expression(f"steps.{self.id}.output")

    @property
    def error(self) -> Expression:
        """{code, message, ...} of a step that failed and whose workflow went on."""
        return Expression(f"steps.{self.id}.error")

    def when(self, port: str) -> Edge:
        """For `after`: "true" and "false" of a conditional, a case of a switch or "default", "approved", "error" of any step."""
        return Edge(self, port)

    def after(self, *dependencies: Union["Step", Edge]) -> "Step":
        """What this step waits for. Without it a step waits for the steps that its config refers to, and one that refers to none starts
        at once."""
        for one in dependencies:
            if not isinstance(one, (Step, Edge)):
                raise TypeError(f"{self.id}: after() takes steps, and step.when(port), not {one!r}")
        found = [one.id if isinstance(one, Step) else {"step": one.step.id, "when": one.when} for one in dependencies]
        self._after = (self._after or []) + found
        return self

    def retry(self, retry: Union[Retry, int]) -> "Step":
        """How often, and how, attempts that fail are repeated. An int is the number of attempts."""
        return self._set("retry_config", (Retry(max_attempts=retry) if isinstance(retry, int) else retry).to_json())

    def timeout(self, seconds: float) -> "Step":
        """Seconds that one attempt may take."""
        return self._set("timeout_seconds", seconds)

    def for_each(self, items: Union[Expression, str, Sequence[Any]], max_parallel: Optional[int] = None) -> "Step":
        """Runs the step once per item, with `item` and `index` in its expressions; its output is the list of outputs in order."""
        self._set("for_each", to_document(items))
        return self if max_parallel is None else self._set("max_parallel", max_parallel)

    def on_error(self, what: str) -> "Step":
        """"fail" (the execution fails; the default) or "continue" (later steps see `error`)."""
        return self._set("on_error", what)

    def join(self, how: str) -> "Step":
        """Which of its dependencies must be taken: "default", "all", "any", "always"."""
        return self._set("join", how)

    def named(self, name: str) -> "Step":
        """How people see the step."""
        return self._set("name", name)

    def compensated_by(self, step: "Step") -> "Step":
        """The step that undoes this one when the execution fails later."""
        return self._set("compensate", step.id)

    def to_document(self) -> Dict[str, Any]:
        """The step as a member of a document's `steps`."""
        used = sorted(steps_used([self._document.get("config"), self._document.get("for_each")]) - {self.id})
        after = used if self._after is None else self._after
        return {**self._document, "depends_on": list(after)} if after else dict(self._document)

    def _set(self, name: str, value: Any) -> "Step":
        self._document[name] = value
        return self


class Workflow:
    """A workflow document under construction.

        flow = Workflow("Welcome")
        found = flow.step("found", look_up, email=flow.input.email)
        flow.step("hello", "log", message=f"Hello {found.output.name}")
        flow.output = found.output

    inputs: JSON Schema of the input, checked before an execution is accepted. settings: timeout_seconds, concurrency, on_failure,
    retention_days (docs/reference/semantics.md).
    """

    def __init__(self, name: str, *, description: str = "", inputs: Optional[Dict[str, Any]] = None, settings: Optional[Dict[str, Any]] = None,
                 tags: Sequence[str] = ()) -> None:
        self.name = name
        self.input = Expression("input")
        self.vars = Expression("vars")
        self.item = Expression("item")
        self.index = Expression("index")
        self.output: Any = None
        self._head: Dict[str, Any] = {"name": name}
        for key, value in (("description", description), ("inputs", inputs), ("settings", settings), ("tags", list(tags))):
            if value:
                self._head[key] = value
        self._triggers: List[Dict[str, Any]] = []
        self._steps: Dict[str, Step] = {}

    def step(self, step_id: str, step_type: Union[str, Callable[..., Any]], /, **config: Any) -> Step:
        """Adds a step. `step_type`: a type's name ("http_request"), or a function made with `@task`. `config` may hold expressions anywhere.
        Raises ValueError for an id that is taken or is not [a-z][a-z0-9_]*, TypeError for a function without `@task`."""
        if not _ID.match(step_id):
            raise ValueError(f"{step_id!r} can not be the id of a step: small letters, digits and _, a letter first, at most 63")
        if step_id in self._steps:
            raise ValueError(f"{self.name} has a step {step_id} already")
        if not isinstance(step_type, str):
            found: Optional[TaskType] = getattr(step_type, "flowpilot_task", None)
            if found is None:
                raise TypeError(f"{getattr(step_type, '__name__', step_type)!r} is no task: put @task above it")
            step_type = found.name
        made = Step(step_id, step_type, config)
        self._steps[step_id] = made
        return made

    def trigger(self, trigger_id: str, trigger_type: str, /, **config: Any) -> None:
        """Adds a trigger, such as `flow.trigger("nightly", "schedule", cron="0 6 * * *", timezone="Europe/Berlin")`."""
        self._triggers.append({"id": trigger_id, "trigger_type": trigger_type, "trigger_config": to_document(config)})

    def to_document(self) -> Dict[str, Any]:
        """The document as the API, files and the canvas have it."""
        out = dict(self._head)
        if self._triggers:
            out["triggers"] = list(self._triggers)
        out["steps"] = [step.to_document() for step in self._steps.values()]
        if self.output is not None:
            out["output"] = to_document(self.output)
        return out
