#!/usr/bin/env python3
"""What clients can do to `flowpilot serve`: be slow, vanish, come back all at once, ask twice, race, and send or fetch too much. Needs
FLOWPILOT_BIN. FLOWPILOT_CHAOS_CYCLES makes it longer."""

import concurrent.futures
import http.server
import json
import select
import socket
import sqlite3
import threading
import time
import unittest
import uuid

from server_harness import LONG, LOST, E2E, Client, Load, OpLog, ServerFaultTest, WebSocket, forget_peak, memory_peak, quantile, step

NOOP = {"name": "Load", "steps": [step("a"), step("b", depends_on=["a"])]}
FOLLOWED = {
    "name": "Followed",
    "steps": [
        step("w", "wait_signal", {"name": "go"}),
        step("list", "set", {"values": "{{ Array.from({length: 20}, (_, i) => i) }}"}, depends_on=["w"]),
        step("each", "log", {"message": "line {{ item }}"}, depends_on=["list"], for_each="{{ steps.list.output }}"),
    ],
}


class EatingProxy:
    """Passes requests on; the reply to every first try of a connection is read and thrown away, and the connection is closed."""

    def __init__(self, port: int) -> None:
        self.target, self.eaten = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self.target)) as server:
                request = client.recv(1 << 16)
                head, _, body = request.partition(b"\r\n\r\n")
                size = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")))
                while len(body) < size:
                    body += client.recv(1 << 16)
                server.sendall(head + b"\r\n\r\n" + body)
                if server.recv(1 << 16).startswith(b"HTTP/1.1 20"):
                    self.eaten += 1

    def close(self) -> None:
        self.listener.close()


class SlowClientTest(ServerFaultTest):
    def measure(self, workflow: str, times: int = 150) -> list[float]:
        client, seconds = self.client(), []
        for _ in range(times):
            begin = time.monotonic()
            self.assertEqual(client.post(f"/api/workflows/{workflow}/run/", {"wait_seconds": 20}).status, 200)
            seconds.append(time.monotonic() - begin)
        return seconds

    def test_f72_slow_clients_cost_others_nothing(self) -> None:
        self.serve()
        workflow = self.create(NOOP)
        big = self.create({"name": "Big", "steps": [step("a", "set", {"values": "{{ 'x'.repeat(900000) }}"})]})
        fat = self.client().post(f"/api/workflows/{big}/run/", {"wait_seconds": 20}).json["id"]
        before = self.measure(workflow)
        slow: list[socket.socket] = []
        self.addCleanup(lambda: [peer.close() for peer in slow])

        each = 650 if LONG else 200

        def connect(data: bytes, count: int = each, buffer: int = 0) -> list[socket.socket]:
            out = []
            for _ in range(count):
                peer = socket.socket()
                if buffer:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
                peer.connect(("127.0.0.1", self.server.port))
                peer.sendall(data)
                out.append(peer)
            slow.extend(out)
            return out

        heads = connect(b"GET /healthz HT")
        connect(
            (f"POST /api/workflows/{workflow}/run/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            "Content-Length: 100\r\n\r\n{").encode()
        )
        connect(f"GET /api/executions/{fat}/tasks/a/result/?limit=100000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 8, buffer=4096)
        arriving = self.measure(workflow)  # while the server works on what they asked
        during = self.measure(workflow)
        peak = memory_peak(self.server.process.pid)
        self.assertLess(quantile(during, 0.99), max(2 * quantile(before, 0.99), 0.1))
        told = 0
        for peer in heads:  # 408 after ten seconds, and the end
            peer.settimeout(20)
            told += b" 408 " in peer.recv(4096)[:20]
        self.assertEqual(told, len(heads))
        self.assertLess(peak, 300)
        self.assertEqual(self.stop(), 0)
        self.report(
            "F72",
            f"{each} slow heads, {each} slow bodies, {each} that do not read",
            cycles=1,
            ok=450,
            fail=0,
            info=0,
            p99_before_s=quantile(before, 0.99),
            p99_as_they_arrive_s=quantile(arriving, 0.99),
            p99_during_s=quantile(during, 0.99),
            told_408=told,
            rss_peak_mb=round(peak),
        )

    def test_f74_a_live_client_that_does_not_read_holds_little(self) -> None:
        self.serve()
        flood = self.create(
            {
                "name": "Flood",
                "steps": [
                    step("w", "wait_signal", {"name": "go"}),
                    step("list", "set", {"values": "{{ Array.from({length: 400}, (_, i) => i) }}"}, depends_on=["w"]),
                    step(
                        "each",
                        config={"output": "{{ 'x'.repeat(60000) + item }}"},
                        depends_on=["list"],
                        for_each="{{ steps.list.output }}",
                        max_parallel=50,
                    ),
                ],
            }
        )
        client = self.client()
        id = client.post(f"/api/workflows/{flood}/run/", {}).json["id"]
        lazy = [WebSocket(self.server.port, f"/ws/executions/{id}/") for _ in range(20)]
        for peer in lazy:
            self.addCleanup(peer.close)
            self.assertEqual(peer.read()["type"], "snapshot")
        forget_peak(self.server.process.pid)
        before = memory_peak(self.server.process.pid)
        self.assertEqual(client.post(f"/api/executions/{id}/signals/go/", {}).status, 202)
        self.settle()
        delta = memory_peak(self.server.process.pid) - before
        outcomes = {"resync": 0, "4408": 0}
        for peer in lazy:
            seen = None
            while seen is None:
                frame = peer.read()
                if frame is None:
                    seen = str(peer.close_code)
                elif frame["type"] == "resync":
                    seen = "resync"
                elif frame["type"] == "execution_update" and frame["status"] == "completed":
                    seen = "kept up"
            outcomes[seen] = outcomes.get(seen, 0) + 1
        self.assertEqual(outcomes["resync"] + outcomes["4408"], len(lazy), outcomes)
        self.assertLess(delta, 150, "20 clients, 1 MB queued for each at most, beside a flood of 24 MB")
        self.assertEqual(self.stop(), 0)
        self.report("F74", "20 live clients that do not read, 24 MB of frames", cycles=1, **outcomes, rss_delta_mb=round(delta))

    def test_f75_everybody_comes_back_at_once(self) -> None:
        clients = 2000 if LONG else 400
        self.serve()
        workflow = self.create(FOLLOWED)
        client = self.client()
        ids = [client.post(f"/api/workflows/{workflow}/run/", {}).json["id"] for _ in range(20)]
        peers = [WebSocket(self.server.port, f"/ws/executions/{ids[n % 20]}/") for n in range(clients)]
        seqs = [peer.read()["seq"] for peer in peers]
        for id in ids[:10]:  # half of them go on before the crash, the others after it
            self.assertEqual(client.post(f"/api/executions/{id}/signals/go/", {}).status, 202)
        self.kill()
        for peer in peers:
            peer.close()
        self.serve()
        begin = time.monotonic()
        peers = [WebSocket(self.server.port, f"/ws/executions/{ids[n % 20]}/?after={seqs[n]}") for n in range(clients)]
        for peer in peers:
            self.addCleanup(peer.close)
        joined = time.monotonic() - begin
        client = self.client()
        for id in ids[10:]:
            self.assertEqual(client.post(f"/api/executions/{id}/signals/go/", {}).status, 202)
        resyncs = 0
        for peer, seq in zip(peers, seqs):
            while True:
                frame = peer.read()
                self.assertIsNotNone(frame, f"closed with {peer.close_code}")
                if frame["type"] in ("resync", "snapshot"):
                    resyncs += frame["type"] == "resync"
                else:
                    self.assertEqual(frame["seq"], seq + 1, "a gap")
                seq = frame.get("seq", seq)
                if frame["type"] in ("snapshot", "execution_update") and frame["status"] == "completed":
                    break
        self.assertEqual(self.stop(), 0)
        self.report(
            "F75",
            f"{clients} live clients return after kill -9 and resume",
            cycles=1,
            ok=clients,
            fail=0,
            info=0,
            gaps=0,
            resyncs=resyncs,
            all_joined_s=round(joined, 2),
            all_ended_s=round(time.monotonic() - begin, 2),
        )


class RepeatTest(ServerFaultTest):
    def test_f93_a_retry_after_a_lost_reply_starts_nothing_twice(self) -> None:
        self.serve()
        workflow = self.create(NOOP)
        proxy, log = EatingProxy(self.server.port), OpLog()
        self.addCleanup(proxy.close)
        client = self.client()
        for _ in range(LONG or 30):
            key = str(uuid.uuid4())
            lost = Client(proxy.port)
            with self.assertRaises(LOST):
                log.start(lost, workflow, key)
            lost.close()
            first = log.start(client, workflow, key)
            self.assertEqual(log.start(client, workflow, key), first)
        self.assertEqual(proxy.eaten, len(log.ok), "the first try did not reach the server")
        self.settle(log, workflow)
        self.assertEqual(self.stop(), 0)
        self.report(
            "F93",
            "the reply to a start is lost, and it is asked again",
            cycles=len(log.ok),
            **log.figures(),
            **self.audit(log, effects=None),
        )

    def test_f95_a_cancel_that_races_with_the_end_leaves_one_end(self) -> None:
        self.serve()
        workflow = self.create(
            {
                "name": "Race",
                "steps": [step("a"), step("d", "delay", {"seconds": "{{ input.s }}"}, depends_on=["a"]), step("b", depends_on=["d"])],
                "settings": {"timeout_seconds": 0.03},
            }
        )
        times, ended = LONG or 100, {}
        delays = [self.dice.choice((0, 0.005, 0.02, 0.03, 0.06)) for _ in range(times)]  # beside a time limit of 0.03

        def race(delay: float, reads: int) -> tuple[str, int]:
            client = Client(self.server.port)
            try:
                id = client.post(f"/api/workflows/{workflow}/run/", {"input": {"s": delay}}).json["id"]
                for _ in range(reads):  # so that the cancel meets it at another point each time
                    client.get(f"/api/executions/{id}/")
                replies = [client.post(f"/api/executions/{id}/cancel/", {}) for _ in range(2)]
                self.assertLessEqual(
                    {(reply.status, reply.code if reply.status != 202 else None) for reply in replies},
                    {(202, None), (409, "execution.ended")},
                )
                return id, replies[0].status
            finally:
                client.close()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(race, delays, [self.dice.randrange(25) for _ in delays]))
        self.settle()
        client = self.client()
        for id, status in results:
            execution = client.get(f"/api/executions/{id}/").json
            wanted = ("cancelled",) if status == 202 else ("completed", "failed")
            self.assertIn(execution["status"], wanted, "a cancel was acknowledged and not carried out, or the other way round")
            ended[execution["status"]] = ended.get(execution["status"], 0) + 1
        self.assertEqual(set(ended), {"cancelled", "completed", "failed"}, "nothing raced")
        self.assertEqual(self.stop(), 0)
        for events in self.journals().values():
            self.check_journal(events)
        self.verify()
        self.report(
            "F95",
            "cancel beside the end and the time limit of an execution",
            cycles=times,
            ok=times,
            fail=0,
            info=0,
            terminal_twice=0,
            **ended,
        )

    def test_f96_signals_are_kept_in_order_until_they_are_waited_for(self) -> None:
        self.serve()
        client = self.client()
        two = self.create(
            {
                "name": "Two",
                "steps": [
                    step("d", "delay", {"seconds": 0.2}),
                    step("a", "wait_signal", {"name": "go"}, depends_on=["d"]),
                    step("b", "wait_signal", {"name": "go"}, depends_on=["a"]),
                ],
                "output": ["{{ steps.a.output }}", "{{ steps.b.output }}"],
            }
        )
        id = client.post(f"/api/workflows/{two}/run/", {}).json["id"]
        for n in (1, 2):
            self.assertEqual(client.post(f"/api/executions/{id}/signals/go/", n).status, 202)
        self.settle()
        self.assertEqual(json.dumps(client.get(f"/api/executions/{id}/").json["output"]).count("1"), 1)
        order = client.get(f"/api/executions/{id}/").json["output"]
        self.assertEqual([part.get("payload", part) if isinstance(part, dict) else part for part in order], [1, 2])
        late = client.post(f"/api/executions/{id}/signals/go/", 3)
        self.assertEqual((late.status, late.code), (409, "execution.ended"))
        burst = self.create({"name": "Burst", "steps": [step("w", "wait_signal", {"name": "end"})]})
        id = client.post(f"/api/workflows/{burst}/run/", {}).json["id"]

        each = 1250 if LONG else 125

        def send(worker: int) -> dict:
            sender, codes = Client(self.server.port), {}
            for n in range(each):
                reply = sender.post(f"/api/executions/{id}/signals/other/", {"n": worker * each + n})
                name = "202" if reply.status == 202 else reply.code
                codes[name] = codes.get(name, 0) + 1
            sender.close()
            return codes

        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            counts: dict = {}
            for codes in pool.map(send, range(8)):
                for name, count in codes.items():
                    counts[name] = counts.get(name, 0) + count
        took = time.monotonic() - begin
        self.assertLessEqual(set(counts), {"202", "signal.overflow"})
        client.post(f"/api/executions/{id}/signals/end/", {})
        self.settle()
        self.assertEqual(self.stop(), 0)
        recorded = sum(
            1
            for events in self.journals().values()
            for event in events
            if event["type"] == "signal_buffered" and event.get("name") == "other"
        )
        self.assertEqual(recorded, counts["202"], "acknowledged and not recorded, or the other way round")
        self.verify()
        self.report(
            "F96",
            f"signals before the wait, to the ended, and {8 * each} at once",
            cycles=1,
            ok=counts["202"],
            fail=counts.get("signal.overflow", 0),
            info=0,
            burst_s=round(took, 2),
        )


class BigPeer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        size = int(self.path.strip("/"))
        body = b'{"text":"' + b"x" * size + b'"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # more than it wants

    def log_message(self, *_) -> None:
        pass


class SizeTest(ServerFaultTest):
    def test_f101_big_results_spill_and_come_back_in_slices(self) -> None:
        peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BigPeer)
        threading.Thread(target=peer.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(peer.server_close)
        self.addCleanup(peer.shutdown)
        self.serve()
        workflow = self.create(
            {
                "name": "Load",
                "steps": [
                    step(
                        "get",
                        "http_request",
                        {"url": f"http://127.0.0.1:{peer.server_address[1]}/{{{{ input.bytes }}}}", "max_bytes": 100 << 20},
                    ),
                    step("b", depends_on=["get"]),
                ],
            }
        )
        client, peaks = self.client(), {}
        for megabytes in (1, 16, 64) if LONG else (1, 16):
            forget_peak(self.server.process.pid)
            before = memory_peak(self.server.process.pid)
            size = megabytes << 20
            ended = client.post(f"/api/workflows/{workflow}/run/", {"input": {"bytes": size}, "wait_seconds": 60}).json
            self.assertEqual(ended["status"], "completed", ended["error"])
            self.assertLess(len(json.dumps(ended)), 300_000, "the whole value came with the execution")
            part = client.get(f"/api/executions/{ended['id']}/tasks/get/result/?path=/data/text&offset={size - 10}&limit=100").json
            self.assertEqual(part["value"], "x" * 10, part)
            peaks[f"rss_peak_{megabytes}mb"] = round(memory_peak(self.server.process.pid) - before)
        failed = client.post(f"/api/workflows/{workflow}/run/", {"input": {"bytes": 101 << 20}, "wait_seconds": 60}).json
        self.assertEqual((failed["status"], failed["error"]["code"]), ("failed", "http.too_large"))
        self.assertLess(peaks["rss_peak_16mb"], 16 * 10, "a value may be in memory a few times, not dozens of times")
        self.assertEqual(self.stop(), 0)
        self.verify()
        self.report("F101", "results of 1 and 16 MB, and one beyond the limit", cycles=len(peaks), ok=len(peaks), fail=1, info=0, **peaks)

    def test_f103_a_flood_of_log_lines_is_bounded(self) -> None:
        self.serve()
        flood = self.create(
            {
                "name": "Load",
                "steps": [
                    step("list", "set", {"values": "{{ Array.from({length: 2000}, (_, i) => i) }}"}),
                    step(
                        "each",
                        "log",
                        {"message": "{{ '\\u001b[31m\\u0000\\r' + 'x'.repeat(30000) + item }}"},
                        depends_on=["list"],
                        for_each="{{ steps.list.output }}",
                        max_parallel=100,
                    ),
                ],
            }
        )
        client = self.client()
        forget_peak(self.server.process.pid)
        before = memory_peak(self.server.process.pid)
        id = client.post(f"/api/workflows/{flood}/run/", {}).json["id"]
        self.settle()
        delta = memory_peak(self.server.process.pid) - before
        self.assertEqual(client.get(f"/api/executions/{id}/").json["status"], "completed")
        page = client.get(f"/api/executions/{id}/logs/?limit=1000")
        tail = client.get(f"/api/executions/{id}/logs/?tail=5").json["results"]
        self.assertEqual(client.get("/healthz").status, 200)
        self.assertEqual(self.stop(), 0)
        stored = sum(file.stat().st_size for file in self.data.rglob("*") if file.is_file())
        self.assertTrue(tail)
        self.assertLess(max(len(line["text"].encode()) for line in tail), (16 << 10) + 100, "a line is not bounded")
        self.assertTrue(all(line["text"].endswith("bytes more)") for line in tail), tail[0]["text"][-100:])
        logged = self.query("SELECT sum(length(lines)) FROM logs")[0][0]
        self.assertLess(logged, 2000 * 17_000)
        self.report(
            "F103",
            "60 MB of log lines without a line end, with control characters",
            cycles=1,
            ok=1,
            fail=0,
            info=0,
            logged_mb=round(logged / 1e6),
            stored_mb=round(stored / 1e6),
            page_mb=round(len(page.body) / 1e6, 1),
            rss_delta_mb=round(delta),
            longest_line=max(len(line["text"]) for line in tail),
        )

    def test_f103_a_log_that_nobody_reads_stops_nobody(self) -> None:
        self.serve()
        fails = self.create({"name": "Fails", "steps": [step("a", "fail", {"message": "m" * 300})]})
        client, times = self.client(), 700
        for _ in range(times):  # nobody reads stderr; a pipe takes 64 KB
            self.assertEqual(client.post(f"/api/workflows/{fails}/run/", {"wait_seconds": 20}).json["status"], "failed")
        told = self.server.drain_log()
        client.post(f"/api/workflows/{fails}/run/", {"wait_seconds": 20})
        told += self.server.drain_log()
        self.assertIn("log lines were dropped", told)
        self.assertEqual(self.stop(), 0)
        self.report("F103", "the reader of the log stalls", cycles=1, ok=times, fail=0, info=0, lines_kept=told.count("\n"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
