"""Programs that start executions and look after them: `Client`, and `AsyncClient` for asyncio."""
from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, AsyncIterator, Dict, Iterator, List, Mapping, Optional, TypeVar, Union

from . import operations
from .execution import Execution
from .link import Link
from .operations import Call, Operation, Source

T = TypeVar("T")
Named = Union[Execution, str]
_MOST_CONNECTIONS = 8


class _Connections:
    """Kept-alive connections, each used by one thread at a time."""

    def __init__(self, url: Optional[str], token: Optional[str], timeout_seconds: float) -> None:
        self._url = url or os.environ.get("FLOWPILOT_SERVER") or "http://127.0.0.1:8080"
        self._token = token if token is not None else os.environ.get("FLOWPILOT_TOKEN", "")
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._free: List[Link] = [Link(self._url, self._token)]  # refuses a bad address now

    def call(self, call: Call) -> Any:
        with self._lock:
            link = self._free.pop() if self._free else Link(self._url, self._token)
        try:
            return link.call(call.method, call.path, call.body, self._timeout, call.headers)
        finally:
            with self._lock:
                keep = len(self._free) < _MOST_CONNECTIONS
                if keep:
                    self._free.append(link)
            if not keep:
                link.close()

    def close(self) -> None:
        with self._lock:
            links, self._free = self._free, []
        for link in links:
            link.close()


def _filters(workflow: Optional[str], status: Optional[str], label: Optional[str], since: Optional[str], until: Optional[str], search: Optional[str]) -> Dict[str, Any]:
    return {"workflow": workflow, "status": status, "label": label, "since": since, "until": until, "search": search}


class Client:
    """Speaks to a server; may be shared by threads.

    url: default FLOWPILOT_SERVER, then http://127.0.0.1:8080. token: an API token; default FLOWPILOT_TOKEN. timeout_seconds: for one answer.

    A call that the server did not answer is repeated for some seconds under one idempotency key, so it takes effect once. Every method
    raises ApiError (the server refused; `status`, `code`, `issues`), Unreachable (no answer), and LookupError for a workflow that is not there.
    """

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, *, timeout_seconds: float = 30.0) -> None:
        self._connections = _Connections(url, token, timeout_seconds)

    def run(self, workflow: str, input: Any = None, *, draft: bool = False, labels: Optional[Mapping[str, str]] = None, idempotency_key: Optional[str] = None) -> Execution:
        """Starts an execution; it is on disk when this returns. workflow: id or name. input: JSON. draft: run the draft, not the published
        version. idempotency_key: calls with the same key, also of other processes, start one execution (kept 7 days)."""
        return self._do(operations.run(workflow, input, draft=draft, labels=labels, idempotency_key=idempotency_key))

    def wait(self, execution: Named, *, timeout_seconds: Optional[float] = None) -> Execution:
        """The execution once it has ended, however it did; `.check()` raises if it failed. Raises TimeoutError; the execution goes on."""
        return self._do(operations.wait(execution, timeout_seconds))

    def get(self, execution: Named) -> Execution:
        """The execution as it is now, with its tasks."""
        return self._do(operations.get(execution))

    def list(self, *, workflow: Optional[str] = None, status: Optional[str] = None, label: Optional[str] = None, since: Optional[str] = None, until: Optional[str] = None,
             search: Optional[str] = None) -> Iterator[Execution]:
        """Executions, newest first, fetched as they are asked for. workflow: id or name. status: one or several, with commas. label: key or
        key=value. since, until: RFC 3339 times of the start."""
        filters, cursor = _filters(workflow, status, label, since, until, search), None
        while True:
            found, cursor = self._do(operations.page_of(filters, cursor))
            yield from found
            if not cursor:
                return

    def cancel(self, execution: Named, reason: str = "") -> Execution:
        """Asks it to end as cancelled; what runs is told. ApiError 409 when it has ended."""
        return self._do(operations.act(execution, "cancel", {"reason": reason} if reason else {}))

    def retry(self, execution: Named, *, start: str = "failed", version: str = "same", input: Any = None) -> Execution:
        """Runs it again. start: "failed" (what failed and what follows), "start", or a step's id. version: "same", "published", "draft".
        input: another input, with start="start". The same execution for failed and same, otherwise a new one."""
        return self._do(operations.retry(execution, start, version, input))

    def signal(self, execution: Named, name: str, payload: Any = None) -> Execution:
        """Sends a signal; it is kept until a step waits for it. payload: JSON."""
        return self._do(operations.act(execution, "signals/" + operations.quote(name, safe=""), payload))

    def decide(self, execution: Named, step: str, approved: bool, *, comment: str = "", data: Any = None) -> Execution:
        """Answers an approval step."""
        return self._do(operations.decide(execution, step, approved, comment, data))

    def publish_event(self, name: str, data: Any = None, *, key: str = "", idempotency_key: Optional[str] = None) -> Dict[str, Any]:
        """Says that something happened: starts the workflows that subscribe to the name; the event. data: JSON, up to 256 KiB. key: what
        wait_event steps compare. idempotency_key: the same key publishes it once."""
        return self._do(operations.publish_event(name, data, key, idempotency_key))

    def publish(self, source: Source, *, note: str = "", workflow: Optional[str] = None) -> Dict[str, Any]:
        """Saves a workflow and makes it the next version; the workflow's resource. source: a Workflow, a document, or a file in YAML or JSON.
        workflow: id or name of the one to replace; default the one with the document's name, or a new one. ApiError 422 names every
        mistake with its place."""
        return self._do(operations.publish(source, note, workflow))

    def close(self) -> None:
        """Closes its connections; it can still be used."""
        self._connections.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _do(self, operation: Operation[T]) -> T:
        step = _advance(operation, None)
        while not isinstance(step, _Done):
            if isinstance(step, Call):
                try:
                    answer = self._connections.call(step)
                except Exception as error:
                    step = _advance_with(operation, error)
                    continue
                step = _advance(operation, answer)
            else:
                time.sleep(step.seconds)
                step = _advance(operation, None)
        return step.result


class AsyncClient:
    """As Client, for asyncio: the same methods, awaited; `list` is an asynchronous iterator."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, *, timeout_seconds: float = 30.0) -> None:
        self._connections = _Connections(url, token, timeout_seconds)
        self._threads = ThreadPoolExecutor(_MOST_CONNECTIONS, "flowpilot-client")

    async def run(self, workflow: str, input: Any = None, *, draft: bool = False, labels: Optional[Mapping[str, str]] = None, idempotency_key: Optional[str] = None) -> Execution:
        """As Client.run."""
        return await self._do(operations.run(workflow, input, draft=draft, labels=labels, idempotency_key=idempotency_key))

    async def wait(self, execution: Named, *, timeout_seconds: Optional[float] = None) -> Execution:
        """As Client.wait."""
        return await self._do(operations.wait(execution, timeout_seconds))

    async def get(self, execution: Named) -> Execution:
        """As Client.get."""
        return await self._do(operations.get(execution))

    async def list(self, *, workflow: Optional[str] = None, status: Optional[str] = None, label: Optional[str] = None, since: Optional[str] = None, until: Optional[str] = None,
                   search: Optional[str] = None) -> AsyncIterator[Execution]:
        """As Client.list."""
        filters, cursor = _filters(workflow, status, label, since, until, search), None
        while True:
            found, cursor = await self._do(operations.page_of(filters, cursor))
            for one in found:
                yield one
            if not cursor:
                return

    async def cancel(self, execution: Named, reason: str = "") -> Execution:
        """As Client.cancel."""
        return await self._do(operations.act(execution, "cancel", {"reason": reason} if reason else {}))

    async def retry(self, execution: Named, *, start: str = "failed", version: str = "same", input: Any = None) -> Execution:
        """As Client.retry."""
        return await self._do(operations.retry(execution, start, version, input))

    async def signal(self, execution: Named, name: str, payload: Any = None) -> Execution:
        """As Client.signal."""
        return await self._do(operations.act(execution, "signals/" + operations.quote(name, safe=""), payload))

    async def decide(self, execution: Named, step: str, approved: bool, *, comment: str = "", data: Any = None) -> Execution:
        """As Client.decide."""
        return await self._do(operations.decide(execution, step, approved, comment, data))

    async def publish_event(self, name: str, data: Any = None, *, key: str = "", idempotency_key: Optional[str] = None) -> Dict[str, Any]:
        """As Client.publish_event."""
        return await self._do(operations.publish_event(name, data, key, idempotency_key))

    async def publish(self, source: Source, *, note: str = "", workflow: Optional[str] = None) -> Dict[str, Any]:
        """As Client.publish."""
        return await self._do(operations.publish(source, note, workflow))

    async def close(self) -> None:
        """Closes its connections and threads; it can not be used afterwards."""
        self._connections.close()
        self._threads.shutdown(wait=False)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def _do(self, operation: Operation[T]) -> T:
        loop = asyncio.get_running_loop()
        step = _advance(operation, None)
        while not isinstance(step, _Done):
            if isinstance(step, Call):
                try:
                    answer = await loop.run_in_executor(self._threads, self._connections.call, step)
                except Exception as error:
                    step = _advance_with(operation, error)
                    continue
                step = _advance(operation, answer)
            else:
                await asyncio.sleep(step.seconds)
                step = _advance(operation, None)
        return step.result


class _Done:
    def __init__(self, result: Any) -> None:
        self.result = result


def _advance(operation: Operation[Any], answer: Any) -> Any:
    """The next call or pause, or what the operation came to."""
    try:
        return operation.send(answer)
    except StopIteration as end:
        return _Done(end.value)


def _advance_with(operation: Operation[Any], error: BaseException) -> Any:
    try:
        return operation.throw(error)
    except StopIteration as end:
        return _Done(end.value)
