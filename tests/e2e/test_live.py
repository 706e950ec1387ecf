#!/usr/bin/env python3
"""Live updates over WebSocket: snapshots, numbered deltas without gaps, resuming, slow clients, restarts. Needs FLOWPILOT_BIN."""
import shutil
import signal
import tempfile
import threading
import unittest
from pathlib import Path

from harness import Client, Server, ServerTest, WebSocket, step

CHAIN = {"name": "Chain", "steps": [step("w", "wait_signal", {"name": "go"}), step("list", "set", {"values": "{{ Array.from({length: 20}, (_, i) => i) }}"}, depends_on=["w"]),
                                    step("each", "log", {"message": "line {{ item }}"}, depends_on=["list"], for_each="{{ steps.list.output }}"),
                                    step("end", depends_on=["each"])], "output": "{{ steps.each.output.length }}"}


class Follower:
    """Applies frames as a page does, and checks their numbers."""

    def __init__(self, socket: WebSocket, seq=None) -> None:
        self.socket, self.seq, self.lines, self.tasks, self.status, self.snapshots, self.resyncs = socket, seq, [], {}, None, 0, 0

    def follow(self, until) -> None:
        while not until(self):
            frame = self.socket.read()
            if frame is None:
                raise AssertionError(f"closed with {self.socket.close_code}")
            self.take(frame)

    def take(self, frame: dict) -> None:
        if frame["type"] == "resync":
            self.resyncs += 1
            self.seq = None
            return
        if frame["type"] != "snapshot" or self.seq is not None:
            if self.seq is not None and frame["type"] != "snapshot":
                assert frame["seq"] == self.seq + 1, f"{self.seq} was followed by {frame['seq']}: {frame}"
        self.seq = frame["seq"]
        if frame["type"] == "snapshot":
            self.snapshots += 1
            self.status = frame["status"]
            self.tasks = {(task["step"], task["index"]): task["status"] for task in frame["tasks"]}
        elif frame["type"] == "task_update":
            self.tasks[frame["step"], frame["index"]] = frame["status"]
        elif frame["type"] == "execution_update":
            self.status = frame["status"]
        elif frame["type"] == "log":
            self.lines += [line["text"] for line in frame["lines"]]


def has_ended(follower: Follower) -> bool:
    return follower.status in ("completed", "failed", "cancelled")


class LiveTest(ServerTest):
    def start(self) -> str:
        return self.run_workflow(self.create(CHAIN), wait=0)["id"]

    def go(self, id: str) -> None:
        self.assertEqual(self.client.post(f"/api/executions/{id}/signals/go/", {}).status, 202)

    def open(self, path: str, **options) -> WebSocket:
        socket = WebSocket(self.server.port, path, **options)
        self.addCleanup(socket.close)
        return socket

    def test_a_snapshot_and_then_every_change_in_order(self) -> None:
        id = self.start()
        followers = [Follower(self.open(f"/ws/executions/{id}/")) for _ in range(5)]
        for follower in followers:
            follower.follow(lambda f: f.snapshots == 1)
            self.assertEqual(follower.status, "waiting")
        self.go(id)
        for follower in followers:
            follower.follow(has_ended)
            self.assertEqual(follower.status, "completed")
            self.assertEqual(sorted(follower.lines), sorted(f"line {n}" for n in range(20)))
            self.assertEqual(follower.tasks[("end", None)], "completed")
            self.assertEqual(follower.snapshots, 1)
        self.assertEqual(len({follower.seq for follower in followers}), 1)

    def test_a_client_resumes_at_any_number_and_gets_the_same_frames(self) -> None:
        id = self.start()
        first = self.open(f"/ws/executions/{id}/?after=0")
        live = [first.read()]
        self.go(id)
        whole = Follower(first, seq=None)
        whole.take(live[0])
        while not has_ended(whole):
            live.append(first.read())
            whole.take(live[-1])
        first.close()
        self.assertEqual([frame["seq"] for frame in live], list(range(1, whole.seq + 1)))
        for after in (0, 1, whole.seq // 2, whole.seq - 1):
            socket = self.open(f"/ws/executions/{id}/?after={after}")
            again = [socket.read() for _ in range(whole.seq - after)]
            self.assertEqual(again, live[after:], f"after {after}")
        for beyond in (whole.seq + 5, 10**15):
            self.assertEqual(self.open(f"/ws/executions/{id}/?after={beyond}").read()["type"], "snapshot")

    def test_what_is_refused(self) -> None:
        id = self.start()
        self.assertEqual(self.open(f"/ws/executions/{id}/", headers={"Origin": "https://evil.example"}).status, 403)
        self.assertEqual(self.open(f"/ws/executions/{id}/", headers={"Origin": f"http://127.0.0.1:{self.server.port}"}).status, 101)
        self.assertEqual(self.open(f"/ws/executions/{id}/?after=x").status, 400)
        self.assertEqual(self.open(f"/ws/executions/{id}/?token=x").status, 400)
        self.assertEqual(self.open("/ws/other/").status, 404)
        unknown = self.open("/ws/executions/00000000-0000-7000-8000-000000000000/")
        self.assertIsNone(unknown.read())
        self.assertEqual(unknown.close_code, 4404)

    def test_the_list_tells_what_starts_and_ends(self) -> None:
        feed = self.open("/ws/executions/")
        self.assertEqual(feed.read()["type"], "snapshot")
        id = self.start()
        self.go(id)
        seen, seq = [], None
        while True:
            frame = feed.read()
            if seq is not None:
                self.assertEqual(frame["seq"], seq + 1)
            seq = frame["seq"]
            if frame.get("id") == id:
                seen.append(frame["status"])
                self.assertEqual(frame["workflow_name"], "Chain")
                if frame["status"] == "completed":
                    break
        self.assertEqual(seen[-1], "completed")

    def test_a_client_that_does_not_read_is_told_to_start_over(self) -> None:
        big = {"name": "Big", "steps": [step("w", "wait_signal", {"name": "go"}), step("list", "set", {"values": "{{ Array.from({length: 300}, (_, i) => i) }}"}, depends_on=["w"]),
                                        step("each", config={"output": "{{ 'x'.repeat(60000) + item }}"}, depends_on=["list"], for_each="{{ steps.list.output }}", max_parallel=50)]}
        id = self.run_workflow(self.create(big), wait=0)["id"]
        lazy = self.open(f"/ws/executions/{id}/")
        follower = Follower(lazy)
        follower.follow(lambda f: f.snapshots == 1)
        self.go(id)
        self.wait_for({"id": id}, "completed", "failed")
        follower.follow(has_ended)
        self.assertEqual(follower.status, "completed")
        self.assertGreaterEqual(follower.resyncs, 1)

    def test_hostile_frames_end_with_the_right_code(self) -> None:
        id = self.start()
        for send, code in ((lambda s: s.send(b"x" * 70_000), 1009), (lambda s: s.send(b"\xff\xfe"), 1007), (lambda s: s.send(b"x", opcode=2), 1003),
                           (lambda s: [s.send(b"", opcode=9) for _ in range(2000)], 1008)):
            socket = self.open(f"/ws/executions/{id}/")
            socket.read()
            try:
                send(socket)
            except OSError:
                pass
            try:
                while socket.read() is not None:
                    pass
            except OSError:
                continue
            self.assertEqual(socket.close_code, code)


class RestartTest(unittest.TestCase):
    def test_a_client_goes_on_where_it_was_after_a_crash(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="flowpilot-live-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = Server(folder / "data")
        client = Client(server.port)
        workflow = client.post("/api/workflows/", CHAIN).json
        id = client.post(f"/api/workflows/{workflow['id']}/run/").json["id"]
        socket = WebSocket(server.port, f"/ws/executions/{id}/")
        follower = Follower(socket)
        follower.follow(lambda f: f.snapshots == 1)
        client.close()
        server.stop(signal.SIGKILL)
        socket.close()
        server = Server(folder / "data")
        client = Client(server.port)
        follower.socket = WebSocket(server.port, f"/ws/executions/{id}/?after={follower.seq}")
        client.post(f"/api/executions/{id}/signals/go/")
        follower.follow(has_ended)
        self.assertEqual((follower.status, follower.snapshots), ("completed", 1))
        follower.socket.close()
        client.close()
        self.assertEqual(server.stop(), 0)

    def test_two_hundred_clients_come_back_at_once_and_miss_nothing(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="flowpilot-live-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = Server(folder / "data")
        client = Client(server.port)
        workflow = client.post("/api/workflows/", CHAIN).json
        ids = [client.post(f"/api/workflows/{workflow['id']}/run/").json["id"] for _ in range(10)]
        followers = [(id, Follower(WebSocket(server.port, f"/ws/executions/{id}/"))) for id in ids for _ in range(20)]
        for _, follower in followers:
            follower.follow(lambda f: f.snapshots == 1)
        client.close()
        server.stop(signal.SIGTERM)
        for _, follower in followers:
            follower.socket.close()
        server = Server(folder / "data")
        client = Client(server.port)
        go = threading.Thread(target=lambda: [client.post(f"/api/executions/{id}/signals/go/") for id in ids])
        go.start()
        for id, follower in followers:
            follower.socket = WebSocket(server.port, f"/ws/executions/{id}/?after={follower.seq}")
        for _, follower in followers:
            follower.follow(has_ended)
            self.assertEqual((follower.status, follower.snapshots), ("completed", 1))
            follower.socket.close()
        go.join()
        client.close()
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
