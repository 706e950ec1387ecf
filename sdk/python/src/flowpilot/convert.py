"""JSON to what a function's hints ask for, and what it returns to JSON."""
from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import math
import typing
import uuid
from typing import Any, Dict, List, Mapping, Tuple

from .schema import _LISTS, _MAPPINGS, hints_of, is_pydantic, is_typed_dict, is_union, typed_dict_keys

MOST_DEPTH = 60  # of a result; the server's own limit is a little above


class InputError(ValueError):
    """A config that does not fit the function's hints; its text says where."""


class ResultError(ValueError):
    """A result that is no JSON; its text says where."""


def from_json(value: Any, hint: Any, where: str) -> Any:
    """`value` as the hint wants it: dataclass instances, Enum members, times, ... Raises InputError."""
    if hint in (Any, object, str, bool, type(None)) or hint is dict or hint is list:
        return _plain(value, hint, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return from_json(value, args[0], where)
    if is_union(hint):
        return _first_that_fits(value, args, where)
    if origin is typing.Literal:
        if value in args:
            return value
        raise InputError(f"{where} must be one of {', '.join(map(repr, args))}, not {value!r:.100}")
    if hasattr(hint, "__supertype__"):
        return from_json(value, hint.__supertype__, where)
    if isinstance(hint, typing.TypeVar):
        return value
    if origin in _LISTS or hint in _LISTS:
        return _list(value, origin or hint, args, where)
    if origin in _MAPPINGS:
        _expect(value, dict, "an object", where)
        return {key: from_json(item, args[1], f"{where}.{key}") for key, item in value.items()} if args else value
    return _class(value, hint, where)


def _expect(value: Any, kinds: Any, name: str, where: str) -> None:
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise InputError(f"{where} must be {name}, not {value!r:.100}")


def _plain(value: Any, hint: Any, where: str) -> Any:
    names = {str: "text", bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
    if hint in names and not isinstance(value, hint):
        raise InputError(f"{where} must be {names[hint]}, not {value!r:.100}")
    return value


def _first_that_fits(value: Any, args: Tuple[Any, ...], where: str) -> Any:
    problems: List[str] = []
    for arg in args:
        try:
            return from_json(value, arg, where)
        except InputError as error:
            problems.append(str(error))
    raise InputError(problems[0] if len(problems) == 1 else "; or ".join(problems))


def _list(value: Any, origin: Any, args: Tuple[Any, ...], where: str) -> Any:
    _expect(value, list, "a list", where)
    if origin is tuple:
        hints = [args[0]] * len(value) if len(args) == 2 and args[1] is Ellipsis else args or [Any] * len(value)
        if len(hints) != len(value):
            raise InputError(f"{where} must have {len(hints)} items, not {len(value)}")
        return tuple(from_json(item, hint, f"{where}[{at}]") for at, (item, hint) in enumerate(zip(value, hints)))
    items = [from_json(item, args[0], f"{where}[{at}]") for at, item in enumerate(value)] if args else value
    return origin(items) if origin in (set, frozenset) else items


def _class(value: Any, hint: Any, where: str) -> Any:
    if hint is int:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        _expect(value, int, "a whole number", where)
        return value
    if hint is float:
        _expect(value, (int, float), "a number", where)
        return float(value)
    try:
        return _parse(value, hint, where)
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise InputError(f"{where} is no {getattr(hint, '__name__', hint)}: {error}") from error


def _parse(value: Any, hint: Any, where: str) -> Any:
    if hint is datetime.timedelta:
        return datetime.timedelta(seconds=float(value))
    if hint in (datetime.datetime, datetime.date, datetime.time):
        _expect(value, str, "text", where)
        return hint.fromisoformat(value[:-1] + "+00:00" if value.endswith("Z") else value)
    if hint in (uuid.UUID, decimal.Decimal):
        return hint(str(value))
    if is_pydantic(hint):
        return hint.model_validate(value) if hasattr(hint, "model_validate") else hint.parse_obj(value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint):
        _expect(value, dict, "an object", where)
        hints = hints_of(hint)
        known = {member.name for member in dataclasses.fields(hint) if member.init}
        unknown = set(value) - known
        if unknown:
            raise InputError(f"{where} has no field {sorted(unknown)[0]!r}")
        return hint(**{key: from_json(item, hints[key], f"{where}.{key}") for key, item in value.items()})
    if is_typed_dict(hint):
        _expect(value, dict, "an object", where)
        hints, required = typed_dict_keys(hint)
        for key in required:
            if key not in value:
                raise InputError(f"{where}.{key} is missing")
        return {key: from_json(item, hints.get(key, Any), f"{where}.{key}") for key, item in value.items()}
    return value


def to_json(value: Any, where: str = "result", depth: int = 0) -> Any:
    """`value` as plain JSON: dataclasses, pydantic models and mappings as objects, sets and tuples as lists, Enum members as their
    values, times as ISO 8601, bytes as base64. Raises ResultError, naming the place."""
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is str:
        return _text(value, where)
    if kind is int:
        return value
    if depth > MOST_DEPTH:
        raise ResultError(f"{where} is nested more than {MOST_DEPTH} deep, or holds itself")
    if kind is float:
        if math.isfinite(value):
            return value
        raise ResultError(f"{where} is {value!r}, which JSON does not have")
    if isinstance(value, enum.Enum):
        return to_json(value.value, where, depth)
    if isinstance(value, Mapping):
        return _object(value, where, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item, f"{where}[{at}]", depth + 1) for at, item in enumerate(value)]
    if isinstance(value, (int, float, str)):  # subclasses
        return to_json(int(value) if isinstance(value, int) else float(value) if isinstance(value, float) else str.__str__(value), where, depth)
    return _special(value, where, depth)


def _text(value: str, where: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ResultError(f"{where} is text with half a character (a lone surrogate), which can not be sent") from error
    return value


def _object(value: Mapping[Any, Any], where: str, depth: int) -> Dict[str, Any]:
    out = {}
    for key, item in value.items():
        if isinstance(key, enum.Enum):
            key = key.value
        if not isinstance(key, str):
            if isinstance(key, bool) or not isinstance(key, int):
                raise ResultError(f"{where} has the key {key!r:.100}: JSON objects have text keys")
            key = str(key)
        out[_text(key, where)] = to_json(item, f"{where}.{key}", depth + 1)
    return out


def _special(value: Any, where: str, depth: int) -> Any:
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (uuid.UUID, decimal.Decimal)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {member.name: to_json(getattr(value, member.name), f"{where}.{member.name}", depth + 1) for member in dataclasses.fields(value)}
    if is_pydantic(type(value)):
        return to_json(value.model_dump(mode="json") if hasattr(value, "model_dump") else value.dict(), where, depth)
    raise ResultError(f"{where} is a {type(value).__name__}, which has no JSON form; return plain data, a dataclass or a pydantic model")
