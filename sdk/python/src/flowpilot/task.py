"""`@task`: a typed function becomes a step type."""
from __future__ import annotations

import contextlib
import functools
import inspect
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Type, TypeVar, overload

from . import docstrings
from .context import Context
from .convert import InputError, from_json
from .schema import JsonSchema, SchemaError, hints_of, make_object, to_schema, with_default

F = TypeVar("F", bound=Callable[..., Any])
_NAME = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
_registry: Dict[str, "TaskType"] = {}


@dataclass
class Retry:
    """How attempts that fail are repeated; seconds. As `retry_config` of a step, which wins when it is given."""

    max_attempts: int = 3
    initial_delay_seconds: float = 1.0
    backoff: float = 2.0
    max_delay_seconds: float = 60.0
    jitter: bool = True

    def to_json(self) -> Dict[str, Any]:
        return dict(self.__dict__)


@dataclass
class TaskType:
    """A function that workflows may name. `spec` is what a worker registers."""

    name: str
    function: Callable[..., Any]
    spec: Dict[str, Any]
    hints: Dict[str, Any]
    context_parameter: Optional[str]
    takes_more: bool
    is_coroutine: bool
    non_retryable: Tuple[Type[BaseException], ...] = ()
    module: str = field(default="")

    def arguments(self, config: Mapping[str, Any], context: Context) -> Dict[str, Any]:
        """The function's keyword arguments for a rendered config. Raises InputError."""
        out: Dict[str, Any] = {}
        for key, value in config.items():
            hint = self.hints.get(key)
            if hint is None and not (self.takes_more or key in self.hints):
                raise InputError(f"{key} is no parameter of {self.name}")
            out[key] = value if hint is None else from_json(value, hint, key)
        for key in self.spec["config_schema"].get("required", ()):
            if key not in out:
                raise InputError(f"{key} is missing")
        if self.context_parameter is not None:
            out[self.context_parameter] = context
        return out


@overload
def task(function: F) -> F: ...
@overload
def task(*, name: str = ..., title: str = ..., description: str = ..., icon: str = ..., category: str = ..., queue: str = ..., retries: Any = ..., timeout: Optional[float] = ...,
         idempotent: bool = ..., concurrency_key: str = ..., concurrency_limit: Optional[int] = ..., non_retryable: Tuple[Type[BaseException], ...] = ...) -> Callable[[F], F]: ...


def task(function: Any = None, *, name: str = "", title: str = "", description: str = "", icon: str = "function", category: str = "", queue: str = "default", retries: Any = None,
         timeout: Optional[float] = None, idempotent: bool = True, concurrency_key: str = "", concurrency_limit: Optional[int] = None,
         non_retryable: Tuple[Type[BaseException], ...] = ()) -> Any:
    """Makes a function (or coroutine function) a step type. The function itself stays what it was.

    name: `orders.charge`, by default `<module>.<function>` in lower case. title, description, icon, category: how the palette shows it;
    the docstring is used where they are not given. queue: only workers of that queue run it. retries: attempts in all (an int), or a
    `Retry`. timeout: seconds of one attempt. idempotent: may it be repeated when nobody knows whether it ran? concurrency_limit: how many
    run at once over all workers, of those with the same value of the parameter concurrency_key (of all without it). non_retryable:
    exceptions after which no attempt follows.

    Raises TypeError when a parameter's type has no JSON form, ValueError for a bad name.
    """
    if function is None:
        return functools.partial(task, name=name, title=title, description=description, icon=icon, category=category, queue=queue, retries=retries, timeout=timeout,
                                 idempotent=idempotent, concurrency_key=concurrency_key, concurrency_limit=concurrency_limit, non_retryable=non_retryable)
    type_name = name or default_name(function)
    if not _NAME.match(type_name):
        raise ValueError(f"{type_name!r} is no name of a task: words of a-z, 0-9 and _ joined by at least one dot, as in orders.charge")
    first_line, prose, helps = docstrings.read(function)
    schema, hints, context_parameter, takes_more = read_parameters(function, helps)
    spec: Dict[str, Any] = {"type": type_name, "title": title or first_line[:200] or type_name, "description": description or prose, "icon": icon,
                            "category": category or type_name.split(".")[0], "config_schema": schema, "output_schema": read_result(function), "idempotent": idempotent, "queue": queue}
    defaults = step_defaults(retries, timeout)
    if defaults:
        spec["step_defaults"] = defaults
    if concurrency_key or concurrency_limit:
        if concurrency_key and concurrency_key not in schema["properties"]:
            raise ValueError(f"concurrency_key={concurrency_key!r} is no parameter of {type_name}")
        spec["concurrency"] = {"key": concurrency_key, "limit": concurrency_limit or 1}
    found = TaskType(type_name, function, spec, hints, context_parameter, takes_more, inspect.iscoroutinefunction(function), tuple(non_retryable), function.__module__)
    earlier = _registry.get(type_name)
    if earlier is not None and (earlier.function.__module__, earlier.function.__qualname__) != (function.__module__, function.__qualname__):
        raise ValueError(f"two functions are called {type_name}: {earlier.function.__module__}.{earlier.function.__qualname__} and {function.__module__}.{function.__qualname__}")
    _registry[type_name] = found
    function.flowpilot_task = found
    return function


def default_name(function: Callable[..., Any]) -> str:
    module = "tasks" if function.__module__ == "__main__" else function.__module__
    return f"{module}.{function.__name__}".lower()


def step_defaults(retries: Any, timeout: Optional[float]) -> Dict[str, Any]:
    out: Dict[str, Any] = {}
    if isinstance(retries, int) and not isinstance(retries, bool):
        retries = Retry(max_attempts=retries)
    if retries is not None:
        out["retry_config"] = retries.to_json() if isinstance(retries, Retry) else dict(retries)
    if timeout is not None:
        out["timeout_seconds"] = timeout
    return out


def read_parameters(function: Callable[..., Any], helps: Mapping[str, str]) -> Tuple[JsonSchema, Dict[str, Any], Optional[str], bool]:
    """(schema of the config, {parameter: hint}, the parameter that takes the Context, does it take any others?)"""
    types = hints_of(function)
    properties: Dict[str, JsonSchema] = {}
    hints: Dict[str, Any] = {}
    required: List[str] = []
    context_parameter, takes_more = None, False
    for parameter in inspect.signature(function).parameters.values():
        hint = types.get(parameter.name, Any)
        if hint is Context:
            context_parameter = parameter.name
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_more = True
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise SchemaError(f"{function.__qualname__}: the parameter {parameter.name} can not be given by name, and steps give all of them by name")
        schema = to_schema(hint, parameter.name)
        if parameter.name in helps:
            schema.setdefault("description", helps[parameter.name])
        if parameter.default is inspect.Parameter.empty:
            required.append(parameter.name)
        else:
            schema = with_default(schema, parameter.default)
        properties[parameter.name] = schema
        hints[parameter.name] = hint
    return make_object(properties, required, takes_more), hints, context_parameter, takes_more


def read_result(function: Callable[..., Any]) -> Optional[JsonSchema]:
    hint = hints_of(function).get("return", Any)
    try:
        schema = to_schema(hint, "result")
    except SchemaError:
        return None  # a help for people who pick fields; the result itself is checked when it is there
    return schema or None


def list_tasks() -> List[TaskType]:
    """Every task made so far, by name."""
    return [_registry[name] for name in sorted(_registry)]


def find_task(name: str) -> Optional[TaskType]:
    return _registry.get(name)


@contextlib.contextmanager
def replaced_tasks(more: Mapping[str, TaskType]) -> Iterator[None]:
    """Offers further tasks meanwhile."""
    global _registry
    earlier, _registry = _registry, {**_registry, **more}
    try:
        yield
    finally:
        _registry = earlier


def forget_module(module: str) -> None:
    """For a module whose import failed half way: none of its tasks is offered."""
    for name in [name for name, found in _registry.items() if found.module == module]:
        del _registry[name]
