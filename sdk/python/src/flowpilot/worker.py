"""A worker: takes leases, carries their attempts out, reports (docs/reference/worker-protocol.md).

Who does what: *slot* threads run functions, and whoever of them finishes while nobody sends becomes the sender until the outbox is empty, so
that a result and the next lease share one round trip without a hand-over between threads. The *poller* waits for leases while slots
are free. The *tender* (the main thread) keeps time: heartbeats, logs, time-outs, and the way back after the server was away. One asyncio
loop runs coroutine functions.
"""
from __future__ import annotations

import asyncio
import collections
import ctypes
import json
import os
import platform
import random
import socket
import threading
import time
from typing import Any, Callable, Deque, Dict, List, Optional, Set

from . import codes
from .attempt import Attempt
from .context import Line
from .convert import ResultError, to_json
from .failure import Cancelled, note
from .link import Link, ApiError, Unreachable
from .spool import Spool
from .task import list_tasks

POLL_SECONDS = 20.0
POLITE_SECONDS = 0.5  # for a function to see that its context is cancelled, before Cancelled is raised in it
STUCK_SECONDS = 5.0
SPOOL_AFTER_SECONDS = 1.0
_MOST_BATCH = 200
_MOST_BATCH_BYTES = 4 << 20
_TICK = 0.2


class WorkerEnds(Exception):
    """The worker can not go on; `status` is its exit status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Worker:
    """Carries out the functions that were made with `@task` in this process until it is told to stop."""

    def __init__(self, url: str, token: str, *, name: str = "", slots: int = 8, queues: Optional[List[str]] = None, spool: Optional[str] = None,
                 problems: Optional[List[Dict[str, str]]] = None, isolation: Optional[Dict[str, Any]] = None, drain_seconds: float = 30.0,
                 quiet: bool = False, host: str = "", pid: int = 0) -> None:
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self.slots = slots
        self.queues = queues or ["default"]
        self.problems = problems or []
        self.isolation = isolation
        self._host, self._pid = host or socket.gethostname()[:255], pid or os.getpid()
        self.drain_seconds = drain_seconds
        self._note: Callable[[str], None] = (lambda text: None) if quiet else note
        self._sender, self._poller, self._control = Link(url, token), Link(url, token), Link(url, token)
        self._spool = Spool(spool, "".join(c if c.isalnum() or c in "-_." else "_" for c in f"{self.name}-reports"))
        self._id = ""
        self._heartbeat_seconds, self._lease_seconds, self._most_bytes = 5.0, 15.0, 1 << 20
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # slots wait for it
        self._room = threading.Condition(self._lock)  # the poller waits for it
        self._tend = threading.Condition(self._lock)  # the tender waits for it
        # All below guarded by the lock.
        self._ready: Deque[Optional[Attempt]] = collections.deque()  # None: somebody please send
        self._held: Dict[str, Attempt] = {}
        self._outbox: Dict[str, str] = {}  # reports that are not acknowledged, by lease
        self._logbox: List[str] = []
        self._sending = False
        self._one_by_one = False
        self._idle = 0
        self._threads = 0
        self._stuck = 0
        self._beat_due = False
        self._spooled: Set[str] = set()
        self._offline_since: Optional[float] = None
        self._retry_at = 0.0
        self._retries = 0
        self._last_contact = time.monotonic()
        self._drain = False
        self._ended = False
        self._fatal: Optional[WorkerEnds] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None

    # ---- life

    def run(self) -> int:
        """Until stop() or a reason to end; the exit status: 0 drained, 4 wrong token, 6 another worker has these functions otherwise, 75 start
        it again (too many functions do not stop when they are told to)."""
        for lease, report in self._spool.load().items():
            self._outbox[lease] = report
            self._spooled.add(lease)
        try:
            self._register_first()
            count = len(list_tasks())
            self._note(f"worker {self.name} is ready: {count} function{'' if count == 1 else 's'}, {self.slots} at once")
            threading.Thread(target=self._poll, name="poller", daemon=True).start()
            return self._tend_until_end()
        except WorkerEnds as end:
            self._note(str(end))
            return end.status
        finally:
            self._leave()

    def stop(self) -> None:
        """Takes no more leases, lets what runs finish, and ends. From any thread, also from a signal handler."""
        self._drain = True

    def _register_first(self) -> None:
        while True:
            try:
                return self._register()
            except Unreachable as error:
                if self._drain:
                    raise WorkerEnds(0, "stopped before the server was there") from error
                self._went_offline(error)
                time.sleep(max(0.0, self._retry_at - time.monotonic()))

    def _register(self) -> None:
        body = {"name": self.name, "slots": self.slots, "queues": self.queues, "host": self._host, "pid": self._pid, "sdk": "flowpilot-python/0.1.0",
                "runtime": f"Python {platform.python_version()}", "task_types": [found.spec for found in list_tasks()], "problems": self.problems, "isolation": self.isolation}
        try:
            answer = self._control.call("POST", "/api/workers/", json.dumps(body).encode())
        except ApiError as refused:
            if refused.status >= 500 or refused.status == 429:
                raise Unreachable(str(refused)) from refused
            status = 4 if refused.status in (401, 403) else 6 if refused.code == "worker.type_conflict" else 2
            raise WorkerEnds(status, f"the server refuses this worker ({refused.code}): {refused}") from refused
        self._id = answer["worker_id"]
        self._heartbeat_seconds, self._lease_seconds, self._most_bytes = answer["heartbeat_seconds"], answer["lease_seconds"], answer["most_result_bytes"]
        self._came_back()

    def _leave(self) -> None:
        """Whatever happened, nothing that was done is forgotten, and the server hears that nobody is here any more."""
        with self._lock:
            self._ended = True
            self._work.notify_all()
            self._room.notify_all()
            unsent = dict(self._outbox)
        self._poller.close()
        if unsent and not self._spool.save(unsent):
            self._note(f"the spool is full: some of {len(unsent)} results are lost with this process, and their attempts run again")
        elif not unsent and self._spooled:
            self._spool.save({})
        if self._id:
            try:
                self._control.call("DELETE", f"/api/workers/{self._id}/", b"", timeout=3.0)
            except (Unreachable, ApiError):
                pass
        for link in (self._sender, self._control):
            link.close()

    # ---- slots

    def _slot(self) -> None:
        while True:
            with self._lock:
                while not self._ready:
                    if self._ended:
                        return
                    self._idle += 1
                    self._work.wait()
                    self._idle -= 1
                attempt = self._ready.popleft()
            if attempt is None:
                self._send()
            elif attempt.type is not None and attempt.type.is_coroutine:
                self._begin_coroutine(attempt)
            elif not self._carry_out(attempt):
                return

    def _carry_out(self, attempt: Attempt) -> bool:
        """False when the tender gave this thread up meanwhile."""
        report = ""
        try:
            attempt.thread_id = threading.get_ident()
            report = attempt.run(self._most_bytes) if not attempt.why else attempt.raised(Cancelled())
            _let_go(attempt)
        except BaseException:  # an interrupt that came late
            _let_go(attempt)
        self._finish(attempt, report or attempt.raised(Cancelled()))
        return not attempt.reported

    def _begin_coroutine(self, attempt: Attempt) -> None:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="coroutines", daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(attempt.run_coroutine(self._most_bytes), self._loop)
        attempt.future = future  # type: ignore[assignment]

        def done(_: Any) -> None:
            report = future.result() if not future.cancelled() and future.exception() is None else attempt.raised(Cancelled())
            self._finish(attempt, report, may_send=False)

        future.add_done_callback(done)

    def _finish(self, attempt: Attempt, report: str, may_send: bool = True) -> None:
        with self._lock:
            if attempt.reported:
                return
            self._held.pop(attempt.lease, None)
            self._collect_logs(attempt, last=True)
            if attempt.why not in ("lost", "cancelled"):
                self._outbox[attempt.lease] = report
            self._room.notify()
            if self._sending:
                return
            if not may_send:
                self._ready.append(None)
                return self._work.notify()
        self._send()

    def _collect_logs(self, attempt: Attempt, last: bool = False) -> None:
        lines = attempt.context.log.take(last)
        if lines:
            self._logbox.append(f'{{"lease":"{attempt.lease}","lines":[{",".join(map(_line_text, lines))}]}}')

    def _take_leases(self, grants: List[Dict[str, Any]], keep_one: bool) -> None:
        """With the lock held. `keep_one`: this thread goes on to run one itself."""
        for grant in grants:
            attempt = Attempt(grant, _nothing)
            self._held[attempt.lease] = attempt
            self._ready.append(attempt)
        wanted = len(self._ready) - (1 if keep_one else 0)
        self._work.notify(min(wanted, self._idle))
        for _ in range(max(0, min(wanted - self._idle, self.slots + self._stuck - self._threads))):
            self._threads += 1
            threading.Thread(target=self._slot, name=f"slot-{self._threads}", daemon=True).start()

    # ---- sending

    def _send(self, is_slot: bool = True) -> None:
        """Sends until there is nothing to send, unless somebody does or the server is away. A slot runs the first of the leases that come back
        itself; the tender, which only keeps time, has them all run by others."""
        with self._lock:
            if self._sending:
                return
            self._sending = True
        while True:
            with self._lock:
                batch = self._next_batch()
                logs, self._logbox = self._logbox, []
                beats = list(self._held.values()) if self._beat_due else []
                self._beat_due = False
                if self._offline_since is not None and time.monotonic() < self._retry_at or not (batch or logs or beats):
                    self._logbox = logs
                    self._sending = False
                    return
                free = 0 if self._drain else max(0, self.slots - len(self._held))
            body = _exchange_body([self._outbox[lease] for lease in batch], logs, beats, free, 0)
            try:
                answer = self._sender.call("POST", f"/api/workers/{self._id}/exchange/", body)
            except Unreachable as error:
                with self._lock:
                    self._logbox = logs + self._logbox
                    self._sending = False
                self._went_offline(error)
                return
            except ApiError as refused:
                if not self._on_refused(refused, batch):
                    with self._lock:
                        self._sending = False
                    return
                continue
            self._take_answer(answer, keep_one=is_slot)

    def _next_batch(self) -> List[str]:
        batch: List[str] = []
        size = 0
        for lease, report in self._outbox.items():
            size += len(report)
            if batch and (size > _MOST_BATCH_BYTES or len(batch) >= _MOST_BATCH or self._one_by_one):
                break
            batch.append(lease)
        return batch

    def _take_answer(self, answer: Dict[str, Any], keep_one: bool) -> None:
        with self._lock:
            for lease in (*answer["acknowledged"], *answer["lost"], *answer["cancelled"]):
                self._outbox.pop(lease, None)
            self._one_by_one = self._one_by_one and bool(self._outbox)
            for why in ("lost", "cancelled"):
                for lease in answer[why]:
                    attempt = self._held.get(lease)
                    if attempt is not None:
                        self._cancel(attempt, why)
            if answer["draining"]:
                self._drain = True
            if answer["leases"]:
                self._take_leases(answer["leases"], keep_one)
            spooled = self._spooled and not self._outbox
        self._came_back()
        if spooled:
            self._spooled.clear()
            self._spool.save({})

    def _on_refused(self, refused: ApiError, batch: List[str]) -> bool:
        """True: try again at once."""
        if refused.code == "worker.unknown":
            try:
                self._register()
                return True
            except Unreachable as error:
                self._went_offline(error)
            except WorkerEnds as end:
                self._end_with(end)
            return False
        if refused.status in (401, 403):
            self._end_with(WorkerEnds(4, f"the server refuses the token ({refused.code}): {refused}"))
            return False
        if refused.status >= 500 or refused.status == 429 or not batch:
            self._went_offline(Unreachable(str(refused)))
            return False
        # Something in the batch is not for the server: find out what, and report that instead.
        with self._lock:
            if len(batch) > 1:
                self._one_by_one = True
            elif '"error":' in self._outbox[batch[0]][:120]:
                self._note(f"the server refuses the report of {batch[0]} altogether ({refused}); its attempt is left to the server")
                del self._outbox[batch[0]]
            else:
                error = {"code": codes.RESULT, "message": f"the server refused what the function returned: {refused}"[:4000], "retryable": False}
                self._outbox[batch[0]] = f'{{"lease":"{batch[0]}","error":{json.dumps(error)}}}'
        return True

    # ---- polling

    def _poll(self) -> None:
        while True:
            with self._lock:
                while not self._ended and (self._drain or len(self._held) >= self.slots or self._offline_since is not None):
                    self._room.wait()
                if self._ended:
                    return
                free = self.slots - len(self._held)
            try:
                answer = self._poller.call("POST", f"/api/workers/{self._id}/exchange/", _exchange_body([], [], [], free, POLL_SECONDS), timeout=POLL_SECONDS + 15)
                self._take_answer(answer, keep_one=False)
            except Unreachable as error:
                if not self._ended and not self._drain:
                    self._went_offline(error)
            except ApiError as refused:
                if refused.code == "worker.unknown":  # the sender registers again
                    with self._lock:
                        self._beat_due = True
                self._went_offline(Unreachable(str(refused)))

    # ---- away and back

    def _went_offline(self, error: Exception) -> None:
        with self._lock:
            now = time.monotonic()
            if self._offline_since is None:
                self._offline_since, self._retries = now, 0
                if not self._ended:
                    self._note(f"the server can not be reached ({error}); trying again until it is back")
            if now >= self._retry_at:
                self._retries += 1
                self._retry_at = now + random.uniform(0, min(10.0, 0.1 * 2 ** min(self._retries, 10)))
            self._tend.notify()

    def _came_back(self) -> None:
        with self._lock:
            self._last_contact = time.monotonic()
            if self._offline_since is None:
                return
            away, self._offline_since = self._last_contact - self._offline_since, None
            self._room.notify_all()
        self._note(f"the server is back after {away:.1f} s")

    def _end_with(self, end: WorkerEnds) -> None:
        with self._lock:
            self._fatal = end
            self._tend.notify()

    # ---- keeping time

    def _tend_until_end(self) -> int:
        next_beat = time.monotonic() + self._heartbeat_seconds
        drain_until: Optional[float] = None
        while True:
            with self._lock:
                self._tend.wait(_TICK)
                if self._fatal is not None:
                    raise self._fatal
                now = time.monotonic()
                self._watch_attempts(now)
                for attempt in self._held.values():
                    self._collect_logs(attempt)
                    self._beat_due = self._beat_due or attempt.context.has_news
                if now >= next_beat:
                    next_beat, self._beat_due = now + self._heartbeat_seconds, True
                away = self._offline_since is not None
                news = self._logbox or self._beat_due and self._held or self._outbox or away
            if away:
                self._spool_if_long(now)
            if news and (not away or now >= self._retry_at):
                self._try_again() if away else self._send(is_slot=False)
            if self._too_many_stuck():
                raise WorkerEnds(75, f"{self._stuck} functions did not stop when they were told to; starting the worker again")
            if not self._drain:
                continue
            if drain_until is None:
                drain_until = now + self.drain_seconds
                self._say_draining()
            with self._lock:
                done = not self._held and (not self._outbox or away)
            if done or now >= drain_until:
                return 0

    def _try_again(self) -> None:
        """The server was away: registering is harmless when it knows this worker still."""
        try:
            self._register()
        except Unreachable as error:
            return self._went_offline(error)
        with self._lock:
            self._beat_due = True
        self._send(is_slot=False)

    def _say_draining(self) -> None:
        self._note("draining: no more leases; what runs may finish")
        try:
            self._control.call("POST", f"/api/workers/{self._id}/drain/", timeout=3.0)
        except (Unreachable, ApiError):
            pass

    def _spool_if_long(self, now: float) -> None:
        with self._lock:
            since = self._offline_since
            if since is None or now - since < SPOOL_AFTER_SECONDS or self._spooled == set(self._outbox):
                return
            reports = dict(self._outbox)
            self._spooled = set(reports)
        if not self._spool.save(reports):
            self._note("the spool is full; the newest results are kept in memory only")

    def _watch_attempts(self, now: float) -> None:
        unrenewed = now - self._last_contact > self._lease_seconds * 2 / 3
        for attempt in list(self._held.values()):
            if attempt.why == "" and now >= attempt.ends:
                self._cancel(attempt, "timeout")
            elif attempt.why == "" and unrenewed and self._offline_since is not None:
                self._cancel(attempt, "lost")
            elif attempt.why and attempt.thread_id and now - attempt.told_at > STUCK_SECONDS:
                self._give_up(attempt)
            elif attempt.why and not attempt.interrupted and now - attempt.told_at > POLITE_SECONDS:
                attempt.interrupted = True
                _interrupt(attempt)

    def _cancel(self, attempt: Attempt, why: str) -> None:
        if attempt.why:
            return
        attempt.why = why
        attempt.told_at = time.monotonic()
        attempt.context.cancel()
        if attempt.future is not None:
            attempt.future.cancel()

    def _give_up(self, attempt: Attempt) -> None:
        """Its thread does not react: the slot gets a new one, and the thread is left to itself."""
        self._held.pop(attempt.lease, None)
        attempt.reported = True
        self._stuck += 1
        if attempt.why == "timeout":
            self._outbox[attempt.lease] = attempt.failed(attempt.timeout_error())
        self._note(f"{attempt.grant['step_type']} does not stop ({attempt.why}); its thread is left alone")

    def _too_many_stuck(self) -> bool:
        with self._lock:
            return self._stuck * 2 > self.slots and not self._held and not self._outbox


def _nothing() -> None:
    pass


def _line_text(line: Line) -> str:
    at, level, text = line
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return f'{{"at":"{stamp}.{int(at * 1000) % 1000:03d}Z","level":"{level}","text":{json.dumps(text)}}}'


def _beat_text(attempt: Attempt) -> str:
    said, details = attempt.context.take_details()
    if said:
        try:
            return f'{{"lease":"{attempt.lease}","details":{json.dumps(to_json(details, "details"), allow_nan=False)}}}'
        except ResultError as error:
            attempt.context.log.warning("heartbeat: %s", error)
    return f'{{"lease":"{attempt.lease}"}}'


def _exchange_body(reports: List[str], logs: List[str], beats: List[Attempt], most: int, wait: float) -> bytes:
    results = [report for report in reports if '","result":' in report[:120]]
    failures = [report for report in reports if '","result":' not in report[:120]]
    parts = [f'"max":{most}']
    if wait:
        parts.append(f'"wait_seconds":{wait:g}')
    for name, items in (("results", results), ("failures", failures), ("logs", logs), ("heartbeats", [_beat_text(attempt) for attempt in beats])):
        if items:
            parts.append(f'"{name}":[{",".join(items)}]')
    return ("{" + ",".join(parts) + "}").encode("utf-8")


def _interrupt(attempt: Attempt) -> None:
    """Raises Cancelled in the attempt's thread at its next bytecode. See _let_go for how late ones are kept out of the worker's own code."""
    attempt.interrupting = True
    if attempt.thread_id:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(attempt.thread_id), ctypes.py_object(Cancelled))
    attempt.interrupting = False


def _let_go(attempt: Attempt) -> None:
    """No interrupt of this attempt comes after this: one that is under way is waited for and swallowed. `thread_id` is cleared before
    `interrupting` is read, _interrupt does it the other way round, so one of both sees the other."""
    while True:
        try:
            attempt.thread_id = 0
            while attempt.interrupting:
                time.sleep(0.0005)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None)
            return
        except Cancelled:
            continue
