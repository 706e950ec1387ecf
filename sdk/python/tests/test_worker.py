"""The worker against a server that does what each test says."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flowpilot import Context, task
from flowpilot.spool import Spool
from flowpilot.worker import Worker


class FakeServer:
    """Speaks the worker protocol: gives the leases it is told to, acknowledges what it is sent, remembers everything."""

    def __init__(self, port: int = 0) -> None:
        self.changed = threading.Condition()
        self.granted: list = []
        self.reports: list = []
        self.logs: dict = {}
        self.beats: list = []
        self.registrations: list = []
        self.refuse = ()  # leases whose results are refused
        self.refuse_all_of = ()  # leases of which nothing is taken
        self.forget = False  # the worker is unknown until it registers again
        self.say: dict = {}  # added to the next answer
        self.lease_seconds = 15.0
        self.closed = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                if outer.closed:
                    self.close_connection = True  # hangs up
                    return
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
                status, answer = outer.answer(self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_DELETE(self) -> None:
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.closed = True
        with self.changed:
            self.changed.notify_all()
        self.http.shutdown()
        self.http.server_close()

    def answer(self, path: str, body: dict):
        with self.changed:
            self.changed.notify_all()
            if path == "/api/workers/":
                self.registrations.append(body)
                self.forget = False
                return 201, {"worker_id": "w1", "heartbeat_seconds": 0.2, "lease_seconds": self.lease_seconds, "most_result_bytes": 1 << 20}
            if path.endswith("/drain/"):
                return 202, {}
            if self.forget:
                return 404, {"code": "worker.unknown", "detail": "who?"}
            reports = body.get("results", []) + body.get("failures", [])
            for report in reports:
                if report["lease"] in self.refuse_all_of or report["lease"] in self.refuse and "result" in report:
                    return 400, {"code": "json.syntax", "detail": "not for me"}
            self.reports += reports
            self.beats += body.get("heartbeats", [])
            for log in body.get("logs", []):
                self.logs.setdefault(log["lease"], []).extend(line["text"] for line in log["lines"])
            if body.get("wait_seconds") and not self.granted and not self.say:
                self.changed.wait(0.05)
            most = body.get("max", 0)
            leases, self.granted = self.granted[:most], self.granted[most:]
            said, self.say = self.say, {}
            return 200, {"leases": leases, "acknowledged": [report["lease"] for report in reports], "lost": [], "cancelled": [], "draining": False, **said}

    def grant(self, *leases: dict) -> None:
        with self.changed:
            self.granted += leases
            self.changed.notify_all()

    def wait_for(self, what, seconds: float = 10.0):
        with self.changed:
            assert self.changed.wait_for(what, seconds), "it never came"
            return what()


def lease(name: str, step_type: str, timeout: float = 30.0, **config) -> dict:
    return {"lease": name, "execution_id": "e", "step": "a", "index": None, "attempt": 1, "step_type": step_type, "config": config, "idempotency_key": "k",
            "timeout_seconds": timeout, "deadline": "", "last_details": None}


@pytest.fixture
def server():
    fake = FakeServer()
    yield fake
    fake.close()


@pytest.fixture
def start(server):
    """Starts workers that end with the test."""
    running = []

    def begin(**options) -> Worker:
        worker = Worker(f"http://127.0.0.1:{server.port}", "token", name="w", **{"slots": 4, "drain_seconds": 0.5, **options})
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        running.append((worker, thread))
        return worker

    yield begin
    for worker, thread in running:
        worker.stop()
        thread.join(10)


def test_results_logs_and_heartbeats_arrive(server, start):
    go = threading.Event()

    @task(name="t.work")
    def work(ctx: Context, n: int) -> int:
        ctx.log.info("number %s", n)
        ctx.heartbeat({"n": n})
        go.wait(10)
        return n * 2

    start()
    server.grant(*(lease(f"L{n}", "t.work", n=n) for n in range(4)))
    server.wait_for(lambda: any(beat.get("details") == {"n": 3} for beat in server.beats))
    go.set()
    server.wait_for(lambda: len(server.reports) == 4)
    assert sorted((report["lease"], report["result"]) for report in server.reports) == [(f"L{n}", n * 2) for n in range(4)]
    assert server.logs["L3"] == ["number 3"]


def test_a_report_the_server_refuses_becomes_a_failure_and_takes_no_other_with_it(server, start):
    gate = threading.Barrier(3, timeout=10)

    @task(name="t.work")
    def work(n: int) -> int:
        gate.wait()
        return n

    server.refuse, server.refuse_all_of = ("L1",), ("L2",)
    start()
    server.grant(*(lease(f"L{n}", "t.work", n=n) for n in range(3)), lease("L3", "t.none"))
    server.wait_for(lambda: len(server.reports) == 3)
    found = {report["lease"]: report for report in server.reports}
    assert found["L0"]["result"] == 0
    assert found["L1"]["error"]["code"] == "python.result"
    assert "not for me" in found["L1"]["error"]["message"]
    assert sorted(found) == ["L0", "L1", "L3"]


def test_a_time_out_and_a_cancellation_stop_the_function(server, start):
    begun, ended = threading.Event(), threading.Event()

    @task(name="t.spin")
    def spin() -> None:
        count = 0
        begun.set()
        try:
            while True:
                count += len(str(count))  # a loop that does nothing at all is not inside the try for CPython 3.11
        finally:
            ended.set()

    start()
    server.grant(lease("slow", "t.spin", timeout=0.2))
    server.wait_for(lambda: server.reports)
    assert server.reports[0]["error"]["code"] == "task.timeout"
    assert ended.wait(5)
    begun.clear()
    ended.clear()
    server.grant(lease("gone", "t.spin"))
    assert begun.wait(10)
    server.wait_for(lambda: any(beat["lease"] == "gone" for beat in server.beats))
    server.say = {"cancelled": ["gone"]}
    assert ended.wait(5)
    server.grant(lease("after", "t.none"))
    server.wait_for(lambda: any(report["lease"] == "after" for report in server.reports))
    assert "gone" not in {report["lease"] for report in server.reports}
    assert server.reports[-1]["error"]["code"] == "step.type"


def test_a_server_that_forgot_the_worker_hears_it_register_again(server, start):
    @task(name="t.work")
    def work() -> str:
        return "done"

    start()
    server.wait_for(lambda: server.registrations)
    server.forget = True
    server.wait_for(lambda: len(server.registrations) == 2)
    server.grant(lease("L", "t.work"))
    server.wait_for(lambda: server.reports)


def test_what_was_done_while_the_server_was_away_is_sent_by_the_next_worker(server, start, tmp_path):
    begun, finish = threading.Event(), threading.Event()

    @task(name="t.work")
    def work() -> str:
        begun.set()
        finish.wait(10)
        return "kept"

    worker = start(spool=str(tmp_path))
    server.grant(lease("L", "t.work"))
    assert begun.wait(10)
    server.close()
    finish.set()
    worker.stop()
    later = FakeServer()
    try:
        def spooled():
            return Spool(str(tmp_path), "w-reports").load()

        for _ in range(200):
            if spooled():
                break
            begun.wait(0)
            threading.Event().wait(0.05)
        assert list(spooled()) == ["L"]
        second = Worker(f"http://127.0.0.1:{later.port}", "token", name="w", slots=1, spool=str(tmp_path), drain_seconds=0.5)
        thread = threading.Thread(target=second.run, daemon=True)
        thread.start()
        later.wait_for(lambda: later.reports)
        assert later.reports[0] == {"lease": "L", "result": "kept"}
        second.stop()
        thread.join(10)
        assert spooled() == {}
    finally:
        later.close()


def test_a_lease_that_can_not_be_renewed_is_given_up(server, start):
    begun, stopped = threading.Event(), threading.Event()

    @task(name="t.work")
    def work(ctx: Context) -> None:
        begun.set()
        if ctx.wait_cancelled(20):
            stopped.set()

    server.lease_seconds = 0.6
    start()
    server.grant(lease("L", "t.work"))
    assert begun.wait(10)
    server.close()
    assert stopped.wait(10)


def test_a_spool_keeps_what_it_is_given_and_survives_a_torn_line(tmp_path):
    spool = Spool(str(tmp_path), "x")
    assert spool.save({"a": "1", "b": "\u00e9"})
    with open(tmp_path / "x.jsonl", "a", encoding="utf-8") as out:
        out.write('{"lease": "c", "rep')
    assert spool.load() == {"a": "1", "b": "\u00e9"}
    assert not spool.save({str(n): "x" for n in range(1001)})
    assert len(spool.load()) == 1000
    assert spool.save({})
    assert spool.load() == {}
