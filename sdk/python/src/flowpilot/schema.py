"""Type hints as JSON Schema (draft 7 subset), and whether a hint can be one at all."""
from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import sys
import types
import typing
import uuid
from typing import Any, Dict, List, Mapping, Tuple, Type, Union

from .field import Field

JsonSchema = Dict[str, Any]

_PLAIN: Dict[Any, JsonSchema] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}, type(None): {"type": "null"},
    datetime.datetime: {"type": "string", "format": "date-time"}, datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"}, datetime.timedelta: {"type": "number", "description": "Seconds"},
    uuid.UUID: {"type": "string", "format": "uuid"}, decimal.Decimal: {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    dict: {"type": "object"}, list: {"type": "array"}, tuple: {"type": "array"}, set: {"type": "array", "uniqueItems": True},
    frozenset: {"type": "array", "uniqueItems": True}, Any: {}, object: {},
}
_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Set, collections.abc.MutableSequence)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_UNION_TYPE = getattr(types, "UnionType", None)  # X | None, from Python 3.10


class SchemaError(TypeError):
    """A hint that has no JSON form. Says which parameter and what to use instead."""


def is_union(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    return origin is Union or (_UNION_TYPE is not None and origin is _UNION_TYPE)


def is_typed_dict(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__total__")


def is_pydantic(hint: Any) -> bool:
    """Is it a model of a pydantic (1 or 2) that the user has imported?"""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(hint, type) and issubclass(hint, pydantic.BaseModel)


def hints_of(thing: Any) -> Dict[str, Any]:
    """Its type hints, with Annotated kept. Hints that name things only a type checker imports count as Any."""
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except NameError as error:
        raise SchemaError(f"{getattr(thing, '__qualname__', thing)}: the hint {error.name if hasattr(error, 'name') else error} is not defined at run time") from error


def typed_dict_keys(hint: Any) -> Tuple[Dict[str, Any], List[str]]:
    """({key: hint}, required keys)"""
    hints = hints_of(hint)
    required = getattr(hint, "__required_keys__", frozenset(hints) if hint.__total__ else frozenset())
    plain = {}
    for key, value in hints.items():
        name = getattr(typing.get_origin(value), "_name", "")
        plain[key] = typing.get_args(value)[0] if name in ("Required", "NotRequired") else value
        if name == "NotRequired":
            required = required - {key}
    return plain, [key for key in hints if key in required]


def to_schema(hint: Any, where: str = "", seen: Tuple[Any, ...] = ()) -> JsonSchema:
    """The JSON Schema of what a hint takes. `where` names the parameter for errors."""
    try:
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
    except TypeError:  # unhashable
        pass
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated if hasattr(typing, "Annotated") else False:
        return _annotated(args, where, seen)
    if is_union(hint):
        return _union(args, where, seen)
    if origin is typing.Literal:
        return _values(list(args))
    if isinstance(hint, typing.TypeVar):
        return to_schema(hint.__bound__, where, seen) if hint.__bound__ else {}
    if hasattr(hint, "__supertype__"):  # NewType
        return to_schema(hint.__supertype__, where, seen)
    if origin in _LISTS or hint in _LISTS:
        return _array(origin or hint, args, where, seen)
    if origin in _MAPPINGS:
        if args and args[0] not in (str, Any):
            raise SchemaError(f"{where}: JSON objects have text keys, not {args[0]!r}")
        more = to_schema(args[1], where, seen) if args else {}
        return {"type": "object", "additionalProperties": more} if more else {"type": "object"}
    if isinstance(hint, type):
        return _class(hint, where, seen)
    raise SchemaError(f"{where}: {hint!r} has no JSON form; use str, int, float, bool, list, dict, a dataclass, a TypedDict or an Enum")


def _annotated(args: Tuple[Any, ...], where: str, seen: Tuple[Any, ...]) -> JsonSchema:
    schema = to_schema(args[0], where, seen)
    for more in args[1:]:
        if isinstance(more, str):
            schema = {**schema, "description": more}
        elif isinstance(more, Field):
            schema = more.apply(schema)
    return schema


def _union(args: Tuple[Any, ...], where: str, seen: Tuple[Any, ...]) -> JsonSchema:
    schemas = [to_schema(arg, where, seen) for arg in args]
    if all(set(schema) == {"type"} and isinstance(schema["type"], str) for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    if len(schemas) == 2 and {"type": "null"} in schemas:
        one = next(schema for schema in schemas if schema != {"type": "null"})
        if isinstance(one.get("type"), str) and "enum" not in one:
            return {**one, "type": [one["type"], "null"]}
        if "enum" in one:
            return {**{key: value for key, value in one.items() if key != "type"}, "enum": [*one["enum"], None]}
    return {"anyOf": schemas}


def _values(values: List[Any]) -> JsonSchema:
    if all(isinstance(value, str) for value in values):
        return {"type": "string", "enum": values}
    return {"enum": values}


def _array(origin: Any, args: Tuple[Any, ...], where: str, seen: Tuple[Any, ...]) -> JsonSchema:
    schema: JsonSchema = {"type": "array"}
    if origin is tuple and args and args[-1] is not Ellipsis:
        items = [to_schema(arg, f"{where}[{at}]", seen) for at, arg in enumerate(args)]
        return {**schema, "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if args:
        items = to_schema(args[0], f"{where}[]", seen)
        if items:
            schema["items"] = items
    if origin in (set, frozenset, collections.abc.Set):
        schema["uniqueItems"] = True
    return schema


def _class(hint: Type[Any], where: str, seen: Tuple[Any, ...]) -> JsonSchema:
    if hint in (bytes, bytearray, memoryview):
        raise SchemaError(f"{where}: bytes have no JSON form; take base64 text, or the path of a file")
    if issubclass(hint, enum.Enum):
        return _values([member.value for member in hint])
    if hint in seen:
        return {"type": "object"}  # it holds itself: the inner one is not checked
    inside = (*seen, hint)
    if is_pydantic(hint):
        return _pydantic(hint)
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, where, inside)
    if is_typed_dict(hint):
        hints, required = typed_dict_keys(hint)
        return make_object({key: to_schema(value, f"{where}.{key}", inside) for key, value in hints.items()}, required)
    raise SchemaError(f"{where}: {hint.__qualname__} has no JSON form; use a dataclass, a TypedDict or an Enum")


def _dataclass(hint: Any, where: str, seen: Tuple[Any, ...]) -> JsonSchema:
    hints, properties, required = hints_of(hint), {}, []
    for member in dataclasses.fields(hint):
        if not member.init:
            continue
        schema = to_schema(hints[member.name], f"{where}.{member.name}", seen)
        if member.default is not dataclasses.MISSING:
            schema = with_default(schema, member.default)
        elif member.default_factory is dataclasses.MISSING:
            required.append(member.name)
        properties[member.name] = schema
    return make_object(properties, required)


def make_object(properties: Mapping[str, JsonSchema], required: List[str], additional: bool = False) -> JsonSchema:
    schema: JsonSchema = {"type": "object", "properties": dict(properties), "additionalProperties": additional}
    if required:
        schema["required"] = list(required)
    return schema


def with_default(schema: JsonSchema, value: Any) -> JsonSchema:
    """The schema with the default, when the default has a JSON form."""
    from .convert import ResultError, to_json  # the two modules need each other

    try:
        return {**schema, "default": to_json(value)}
    except ResultError:
        return schema


def _pydantic(hint: Any) -> JsonSchema:
    schema = hint.model_json_schema() if hasattr(hint, "model_json_schema") else hint.schema()
    return _inline(schema, schema.get("$defs", schema.get("definitions", {})), 0)


def _inline(node: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    """The schema with its own definitions put where they are named: forms read it from the top."""
    if depth > 16:
        return {"type": "object"}
    if isinstance(node, list):
        return [_inline(item, definitions, depth) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inline(definitions.get(node["$ref"].rsplit("/", 1)[-1], {"type": "object"}), definitions, depth + 1), **rest}
    return {key: _inline(value, definitions, depth) for key, value in node.items() if key not in ("$defs", "definitions")}
