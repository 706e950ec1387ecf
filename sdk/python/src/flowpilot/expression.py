"""References to what earlier steps gave, written as Python and sent as the expressions of a workflow document."""
from __future__ import annotations

import json
import re
from typing import Any, Set, Union

_NAME = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
_IN_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STEP = re.compile(r"\bsteps(?:\.([a-z][a-z0-9_]*)|\[\s*['\"]([a-z][a-z0-9_]*)['\"]\s*\])")


class Expression:
    """A place in the data of an execution: `flow.input.email`, `step.output["first name"]`, `step.output.items[0]`.

    As a value of a step's config it keeps its JSON type; inside an f-string it becomes text. For anything beyond a path write the expression
    yourself: `"{{ steps.crm.output.score > 80 }}"` (JavaScript).
    """

    __slots__ = ("_code",)

    def __init__(self, code: str) -> None:
        self._code = code

    def __getattr__(self, name: str) -> "Expression":
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, key: Union[str, int]) -> "Expression":
        if isinstance(key, str) and _NAME.match(key):
            return Expression(f"{self._code}.{key}")
        return Expression(f"{self._code}[{json.dumps(key)}]")

    def __iter__(self) -> Any:
        raise TypeError(f"{self} is known only when the workflow runs; use for_each of a step")

    def __bool__(self) -> bool:
        raise TypeError(f"{self} is known only when the workflow runs; use a conditional step")

    def __str__(self) -> str:
        return f"{{{{ {self._code} }}}}"

    __repr__ = __str__


def to_document(value: Any) -> Any:
    """`value` as JSON, with expressions as their text. Raises TypeError for what JSON does not have."""
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, dict):
        return {str(key): to_document(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_document(one) for one in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"{value!r} has no JSON form; convert it first")


def steps_used(value: Any) -> Set[str]:
    """Ids of the steps that the expressions in a document's value refer to."""
    if isinstance(value, str):
        return {one or other for code in _IN_BRACES.findall(value) for one, other in _STEP.findall(code)}
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*(steps_used(one) for one in value))
    return set()
