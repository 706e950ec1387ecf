"""What a client does, without doing it: each operation is a generator that yields calls and pauses and is sent the answers.

Client and AsyncClient carry the same generators out, one with threads and one with asyncio.
"""
from __future__ import annotations

import json
import random
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Generator, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union
from urllib.parse import quote, urlencode

from .execution import Execution
from .link import ApiError, Unreachable
from .workflow import Workflow

_PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds before a call that may be repeated is repeated
_FIRST_LOOK, _SLOWEST_LOOK = 0.005, 1.0


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: bytes = b""
    headers: bytes = b""


@dataclass(frozen=True)
class Pause:
    seconds: float


T = TypeVar("T")
Operation = Generator[Union[Call, Pause], Any, T]
Source = Union[Workflow, Mapping[str, Any], str, Path]


def _request(method: str, path: str, body: Any = None, *, key: Optional[str] = None, headers: Tuple[str, ...] = (), content: Optional[bytes] = None,
             content_type: str = "application/json") -> Operation[Any]:
    """The answer's JSON. A GET, and a POST (which always carries an idempotency key), is repeated when the server does not answer or is
    overloaded: it takes effect once."""
    lines = list(headers)
    if content is None and body is not None:
        content = json.dumps(body).encode()
    if content is not None:
        lines.append(f"Content-Type: {content_type}")
    if method == "POST":
        key = key or uuid.uuid4().hex
        if not key.isascii() or not key.isprintable():
            raise ValueError("an idempotency key is printable ASCII")
        lines.append(f"Idempotency-Key: {key}")
    call = Call(method, path, content or b"", "".join(line + "\r\n" for line in lines).encode("ascii"))
    pauses = _PAUSES if method in ("GET", "POST") else ()
    for pause in (*pauses, None):
        try:
            return (yield call)
        except Unreachable:
            if pause is None:
                raise
        except ApiError as error:
            if pause is None or error.status not in (429, 503):
                raise
        yield Pause(pause * random.uniform(0.75, 1.25))


def _id(execution: Union[Execution, str]) -> str:
    return quote(execution.id if isinstance(execution, Execution) else execution, safe="")


def _query(values: Mapping[str, Any]) -> str:
    given = {key: value for key, value in values.items() if value is not None}
    return "?" + urlencode(given) if given else ""


def find_workflow(workflow: str) -> Operation[Optional[Dict[str, Any]]]:
    """By id, or by name; None when there is no such workflow. Raises LookupError when several have the name."""
    try:
        return (yield from _request("GET", f"/api/workflows/{uuid.UUID(workflow)}/"))
    except ValueError:
        pass  # a name
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    cursor, found = None, []
    while True:
        page = yield from _request("GET", "/api/workflows/" + _query({"search": workflow, "limit": 200, "cursor": cursor}))
        found += [one for one in page["results"] if one["name"] == workflow]
        cursor = page["next"]
        if not cursor:
            break
    if len(found) > 1:
        raise LookupError(f"{len(found)} workflows are called {workflow!r}; say which by its id: " + ", ".join(one["id"] for one in found))
    return found[0] if found else None


def _known_workflow(workflow: str) -> Operation[str]:
    found = yield from find_workflow(workflow)
    if found is None:
        raise LookupError(f"the server has no workflow {workflow!r}")
    return found["id"]


def run(workflow: str, input: Any, *, draft: bool, labels: Optional[Mapping[str, str]], idempotency_key: Optional[str]) -> Operation[Execution]:
    workflow_id = yield from _known_workflow(workflow)
    body: Dict[str, Any] = {"input": {} if input is None else input}
    if draft:
        body["draft"] = True
    if labels:
        body["labels"] = dict(labels)
    return Execution((yield from _request("POST", f"/api/workflows/{workflow_id}/run/", body, key=idempotency_key)))


def get(execution: Union[Execution, str]) -> Operation[Execution]:
    return Execution((yield from _request("GET", f"/api/executions/{_id(execution)}/")))


def wait(execution: Union[Execution, str], timeout_seconds: Optional[float]) -> Operation[Execution]:
    until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    pause = _FIRST_LOOK
    while True:
        found = yield from get(execution)
        if found.has_ended:
            return found
        if until is not None and time.monotonic() >= until:
            raise TimeoutError(f"execution {found.id} is {found.status} after {timeout_seconds:g} s; it goes on")
        yield Pause(pause if until is None else max(0.0, min(pause, until - time.monotonic())))
        pause = min(pause * 1.6, _SLOWEST_LOOK)


def page_of(filters: Mapping[str, Any], cursor: Optional[str]) -> Operation[Tuple[List[Execution], Optional[str]]]:
    page = yield from _request("GET", "/api/executions/" + _query({**filters, "cursor": cursor}))
    return [Execution(one) for one in page["results"]], page["next"]


def act(execution: Union[Execution, str], action: str, body: Any) -> Operation[Execution]:
    return Execution((yield from _request("POST", f"/api/executions/{_id(execution)}/{action}/", body)))


def retry(execution: Union[Execution, str], start: str, version: str, input: Any) -> Operation[Execution]:
    body = {"from": start, "version": version}
    if input is not None:
        body["input"] = input
    return (yield from act(execution, "retry", body))


def decide(execution: Union[Execution, str], step: str, approved: bool, comment: str, data: Any) -> Operation[Execution]:
    found = yield from get(execution)
    try:
        task = found.task(step)
    except KeyError:
        raise LookupError(f"execution {found.id} has no task of step {step}") from None
    body: Dict[str, Any] = {"approved": approved, "comment": comment}
    if data is not None:
        body["data"] = data
    return (yield from act(execution, f"tasks/{quote(str(task['id']), safe='')}/decide", body))


def publish_event(name: str, data: Any, key: str, idempotency_key: Optional[str]) -> Operation[Dict[str, Any]]:
    body: Dict[str, Any] = {"name": name, "data": data}
    if key:
        body["key"] = key
    return (yield from _request("POST", "/api/events/", body, key=idempotency_key))


def read_source(source: Source) -> Operation[Dict[str, Any]]:
    """The document of a Workflow, of a mapping, or of a file in YAML or JSON. Raises OSError, ApiError for a text that can not be read."""
    if isinstance(source, Workflow):
        return source.to_document()
    if isinstance(source, Mapping):
        return dict(source)
    text = Path(source).read_bytes()
    answer = yield from _request("POST", "/api/workflows/validate/", content=text, content_type="application/yaml")  # JSON is YAML too
    return answer["document"]


def publish(source: Source, note: str, workflow: Optional[str]) -> Operation[Dict[str, Any]]:
    document = yield from read_source(source)
    known = yield from find_workflow(workflow or str(document.get("name", "")))
    if known is None and workflow is not None:
        raise LookupError(f"the server has no workflow {workflow!r}")
    if known is None:
        saved = yield from _request("POST", "/api/workflows/", document)
    else:
        current = yield from _request("GET", f"/api/workflows/{known['id']}/")
        saved = yield from _request("PUT", f"/api/workflows/{known['id']}/", document, headers=(f'If-Match: "{current["revision"]}"',))
    body = {"note": note} if note else {}
    return (yield from _request("POST", f"/api/workflows/{saved['id']}/publish/", body, headers=(f'If-Match: "{saved["revision"]}"',)))
