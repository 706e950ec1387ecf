"""Events over HTTP: who hears of them, who waits for them, and that nobody hears of one twice or not at all."""
import http.client
import http.server
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import ROOT, Client, Server, ServerTest, step

GONE = (http.client.HTTPException, OSError)  # what a client of a killed server sees


def subscriber(name: str, event: str, steps=None, inputs=None, **config) -> dict:
    return {"name": name, "triggers": [{"id": "on", "trigger_type": "event", "trigger_config": {"name": event, **config}}],
            **({"inputs": inputs} if inputs else {}), "steps": steps or [step("a", "set", {"values": {"got": "{{ input }}"}})], "output": "{{ input }}"}


class EventTest(ServerTest):
    def publish(self, name: str, **body) -> dict:
        reply = self.client.post("/api/events/", {"name": name, **body})
        self.assertEqual(reply.status, 202, reply.body)
        return reply.json

    def until(self, ask, what: str):
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            found = ask()
            if found:
                return found
        self.fail(f"{what} never came")

    def handled(self, event: dict) -> dict:
        def ask():
            now = self.client.get(f"/api/events/{event['id']}/").json
            return now if now["handled_at"] else None
        return self.until(ask, f"the end of {event['name']}")

    def started_by(self, event: dict) -> list:
        return [self.finished(row["execution_id"]) for row in self.handled(event)["outcome"] if row["outcome"] == "started"]

    def finished(self, id: str) -> dict:
        return self.wait_for({"id": id}, "completed", "failed", "cancelled")

    def executions(self, workflow: dict) -> list:
        return self.client.get(f"/api/executions/?workflow={workflow['id']}&limit=200").json["results"]


class SubscriptionTest(EventTest):
    def test_each_subscriber_starts_once_and_the_event_says_so(self) -> None:
        one = self.create(subscriber("One", "each.happened"))
        two = self.create(subscriber("Two", "each.*"))
        self.create(subscriber("Other", "each"))
        event = self.publish("each.happened", key="7", data={"n": 1})
        handled = self.handled(event)
        self.assertEqual(handled["started"], 2)
        self.assertEqual({row["workflow"] for row in handled["outcome"]}, {one["id"], two["id"]})
        for execution in self.started_by(event):
            self.assertEqual(execution["trigger"], "event")
            self.assertEqual({key: execution["output"][key] for key in ("name", "key", "data", "source", "id")},
                             {"name": "each.happened", "key": "7", "data": {"n": 1}, "source": {"type": "api"}, "id": event["id"]})
        subscriptions = self.client.get(f"/api/subscriptions/?workflow={two['id']}").json["results"]
        self.assertEqual([(row["name"], row["trigger"], row["has_filter"]) for row in subscriptions], [("each.*", "on", False)])
        self.client.post(f"/api/workflows/{two['id']}/disable/")
        self.assertEqual(self.handled(self.publish("each.happened"))["started"], 1)

    def test_a_key_makes_repeating_harmless(self) -> None:
        self.create(subscriber("Keyed", "keyed.happened"))
        headers = {"Idempotency-Key": "one"}
        first = self.client.post("/api/events/", {"name": "keyed.happened", "data": 1}, headers=headers).json
        self.handled(first)
        again = self.client.post("/api/events/", {"name": "keyed.happened", "data": 1}, headers=headers)
        self.assertEqual((again.status, again.json["id"], again.json["started"]), (202, first["id"], 1))
        self.assertEqual(self.client.post("/api/events/", {"name": "keyed.happened", "data": 2}, headers=headers).status, 422)

    def test_a_filter_decides_and_says_what_is_wrong_with_it(self) -> None:
        self.create(subscriber("Plain", "filtered.happened", filter="{{ input.data.vip }}"))
        self.create(subscriber("Script", "filtered.happened", filter="{{ input.data.total > 100 }}"))
        self.create(subscriber("Broken", "filtered.happened", filter="{{ input.data.list.length > 0 }}"))
        outcome = lambda event: {row["workflow_name"]: row["outcome"] for row in self.handled(event)["outcome"]}
        self.assertEqual(outcome(self.publish("filtered.happened", data={"vip": True, "total": 5, "list": []})), {"Plain": "started", "Script": "filtered", "Broken": "filtered"})
        event = self.publish("filtered.happened", data={"vip": 0, "total": 101})
        self.assertEqual(outcome(event), {"Plain": "filtered", "Script": "started", "Broken": "failed"})
        self.assertIn("filter", next(row["reason"] for row in self.handled(event)["outcome"] if row["outcome"] == "failed"))

    def test_a_workflow_with_inputs_gets_the_data_alone(self) -> None:
        self.create(subscriber("Typed", "typed.happened", inputs={"type": "object", "required": ["email"], "properties": {"email": {"type": "string"}}}))
        self.assertEqual(self.started_by(self.publish("typed.happened", data={"email": "a@b.c"}))[0]["output"], {"email": "a@b.c"})
        refused = self.handled(self.publish("typed.happened", data={"mail": 1}))
        self.assertEqual((refused["started"], refused["outcome"][0]["outcome"]), (0, "refused"))
        self.assertIn("email", refused["outcome"][0]["reason"])

    def test_a_step_publishes_for_other_workflows(self) -> None:
        listener = self.create(subscriber("Listener", "steps.published.here"))
        speaker = self.create({"name": "Speaker", "steps": [step("say", "publish", {"name": "steps.published.here", "key": "{{ input.order }}", "data": {"order": "{{ input.order }}"}})],
                               "output": "{{ steps.say.output }}"})
        spoken = self.run_workflow(speaker, {"order": 9})
        self.assertEqual((spoken["output"]["name"], spoken["output"]["key"]), ("steps.published.here", "9"))
        heard = self.started_by({"id": spoken["output"]["event_id"], "name": "steps.published.here"})
        self.assertEqual([execution["workflow"] for execution in heard], [listener["id"]])
        self.assertEqual(heard[0]["output"]["data"], {"order": 9})
        self.assertEqual(heard[0]["output"]["source"], {"type": "step", "execution_id": spoken["id"], "workflow_id": speaker["id"], "workflow": "Speaker", "step": "say"})

    def test_failures_are_events(self) -> None:
        """A workflow for errors is a subscription; it is not told of its own failure."""
        handler = self.create(subscriber("Errors", "execution.failed", filter="{{ input.data.workflow.name !== 'Ignored' }}", steps=[step("a", "fail", {"message": "as bad"})]))
        steps = self.create(subscriber("Step errors", "step.failed"))
        breaks = self.create({"name": "Breaks", "steps": [step("bad", "fail", {"message": "planned", "code": "test.planned"})]})
        failed = self.run_workflow(breaks)
        self.assertEqual(failed["status"], "failed")
        told = self.until(lambda: self.executions(handler), "the workflow for errors")
        told = self.finished(told[0]["id"])
        self.assertEqual(told["input"]["data"]["execution"]["id"], failed["id"])
        self.assertEqual((told["input"]["data"]["step"], told["input"]["data"]["error"]["code"]), ("bad", "test.planned"))
        heard = self.until(lambda: [one for one in self.executions(steps) if self.finished(one["id"])["input"]["source"]["workflow"] == "Breaks"], "the failed step")
        self.assertEqual(len(heard), 1)
        own = self.until(lambda: [event for event in self.client.get("/api/events/?name=execution.failed").json["results"]
                                  if event["source"]["workflow_id"] == handler["id"] and event["handled_at"]], "its own failure")
        self.assertEqual(own[0]["outcome"][0]["outcome"], "skipped")
        for one in (handler, steps):
            self.client.post(f"/api/workflows/{one['id']}/disable/")

    def test_circles_end(self) -> None:
        circle = self.create(subscriber("Circle", "circle.turned", steps=[step("again", "publish", {"name": "circle.turned"})]))
        self.publish("circle.turned")
        refused = self.until(lambda: [event for event in self.client.get("/api/events/?name=circle.turned").json["results"]
                                      if event["outcome"] and event["outcome"][0]["outcome"] == "refused"], "the end of the circle")
        self.assertIn("run.depth_exceeded", refused[0]["outcome"][0]["reason"])
        self.assertEqual(len(self.executions(circle)), 17)

    def test_an_avalanche_ends(self) -> None:
        """Two events from each: 2^16 executions, were it not for the budget of the first event."""
        avalanche = self.create(subscriber("Avalanche", "stone.fell", steps=[step("left", "publish", {"name": "stone.fell"}), step("right", "publish", {"name": "stone.fell"})]))
        self.publish("stone.fell")
        self.until(lambda: [event for event in self.client.get("/api/events/?name=stone.fell&limit=200").json["results"]
                            if event["outcome"] and "event.budget_exceeded" in event["outcome"][0].get("reason", "")], "the end of the avalanche")
        self.until(lambda: all(event["handled_at"] for event in self.client.get("/api/events/?name=stone.fell&limit=200").json["results"]), "the end")
        page = self.client.get(f"/api/executions/?workflow={avalanche['id']}&limit=1").json
        self.assertLessEqual(page["count"], 1000)
        self.assertGreater(page["count"], 900)

    def test_bad_input_has_a_place(self) -> None:
        for body, status, pointer in (({}, 422, ""), ({"name": "execution.failed"}, 422, "/name"), ({"name": "a..b"}, 422, "/name"), ({"name": "a", "extra": 1}, 422, "/extra"),
                                      ({"name": "a", "data": "x" * (256 << 10)}, 413, "/data")):
            reply = self.client.post("/api/events/", body)
            self.assertEqual(reply.status, status, reply.body[:300])
            self.assertTrue(any(error["pointer"].startswith(pointer) for error in reply.json["errors"]), reply.body[:300])
        self.assertEqual(self.client.get("/api/events/?cursor=forged").status, 400)
        self.assertEqual(self.client.get("/api/events/0192f0c0-0000-7000-8000-000000000000/").status, 404)
        for config, code in (({"name": "a b"}, "field.range"), ({}, "field.missing"), ({"name": "a", "filter": "total > 5"}, "field.type"), ({"name": "a", "filter": "{{ steps.a.output }}"}, "expr.reference"),
                             ({"name": "a", "filter": "{{ input.( }}"}, "expr.syntax"), ({"name": "a", "inputs": 1}, "field.unknown")):
            reply = self.client.post("/api/workflows/", {**subscriber("Bad", "x"), "triggers": [{"id": "on", "trigger_type": "event", "trigger_config": config}]})
            self.assertEqual(reply.status, 422, reply.body)
            self.assertEqual([error["code"] for error in reply.json["errors"]], [code], (config, reply.body))


class SdkTest(EventTest):
    def test_the_python_client_publishes(self) -> None:
        sys.path.insert(0, str(ROOT / "sdk/python/src"))
        from flowpilot import Client as Sdk
        self.create(subscriber("Python", "python.said"))
        client = Sdk(f"http://127.0.0.1:{self.server.port}")
        event = client.publish_event("python.said", {"n": 1}, key="k", idempotency_key="python")
        self.assertEqual(client.publish_event("python.said", {"n": 1}, key="k", idempotency_key="python")["id"], event["id"])
        self.assertEqual([(one["output"]["key"], one["output"]["data"]) for one in self.started_by(event)], [("k", {"n": 1})])


class PollTest(EventTest):
    """Sources that are asked again and again."""

    arguments = ("--allow-address", "127.0.0.1")

    @classmethod
    def setUpClass(cls) -> None:
        cls.root = Path(tempfile.mkdtemp(prefix="flowpilot-root-"))
        cls.items = [{"id": 1}]
        cls.status = 200

        class Source(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"list": cls.items, "asked": self.headers.get("X-Token")}).encode()
                self.send_response(cls.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_) -> None:
                pass
        cls.source = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
        threading.Thread(target=cls.source.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.source.server_port}/items"
        cls.arguments = ("--allow-address", "127.0.0.1", "--file-root", str(cls.root), "--var", "token=t1")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.source.shutdown()
        cls.source.server_close()
        super().tearDownClass()
        shutil.rmtree(cls.root, ignore_errors=True)

    def polling(self, name: str, type: str, **config) -> dict:
        return self.create({"name": name, "triggers": [{"id": "p", "trigger_type": type, "trigger_config": config}], "steps": [step("a", "set", {"values": {}})]})

    def view(self, workflow: dict) -> dict:
        return self.client.get(f"/api/polls/?workflow={workflow['id']}").json["results"][0]

    def inputs(self, workflow: dict) -> list:
        return sorted((self.client.get(f"/api/executions/{one['id']}/").json["input"]["item"] for one in self.executions(workflow)), key=str)

    def test_new_items_of_a_url_start_once_over_a_restart(self) -> None:
        type(self).items = [{"id": 1, "n": 1}, {"id": 2, "n": 1}]
        later = self.polling("Later", "http_poll", url=self.url, items="{{ input.data.list }}", dedupe="{{ input.item.id }}", every_seconds=10)
        at_once = self.polling("At once", "http_poll", url=self.url, items="{{ input.data.list.filter(i => i.id > 1) }}", first="start", filter="{{ input.item.n == 1 }}", every_seconds=10)
        self.until(lambda: self.view(later)["last_at"] and self.inputs(at_once), "the first look")
        self.assertEqual((self.inputs(later), self.inputs(at_once)), ([], [{"id": 2, "n": 1}]))
        type(self).items = [{"id": 2, "n": 9}, {"id": 3, "n": 2}, {"id": 3, "n": 2}]
        self.server.stop()
        type(self).server = Server(self.folder / "data", *self.arguments)
        self.client = self.server.client()
        self.addCleanup(self.client.close)
        self.until(lambda: self.inputs(later), "the next look")
        self.assertEqual((self.inputs(later), self.inputs(at_once)), ([{"id": 3, "n": 2}], [{"id": 2, "n": 1}]))
        self.assertEqual((self.view(later)["items"], self.view(later)["started"]), (3, 1))

    def test_new_files_start_once_they_are_written(self) -> None:
        folder = self.root / "incoming"
        folder.mkdir()
        def put(name: str) -> None:
            (folder / name).write_text(name)
            os.utime(folder / name, (time.time() - 60, time.time() - 60))
        put("old.csv")
        workflow = self.polling("Files", "file_watch", path="incoming", pattern="*.csv", every_seconds=1)
        self.until(lambda: self.view(workflow)["items"] == 1, "the first look")
        put("new.csv")
        put("new.txt")
        (folder / "growing.csv").write_text("not yet")
        os.utime(folder / "growing.csv", (time.time() + 3600, time.time() + 3600))
        self.until(lambda: self.inputs(workflow), "the new file")
        self.assertEqual([item["path"] for item in self.inputs(workflow)], ["incoming/new.csv"])

    def test_what_is_wrong_is_said(self) -> None:
        type(self).items = "no list"
        workflow = self.polling("Wrong", "http_poll", url=self.url, items="{{ input.data.list }}", every_seconds=10)
        self.assertEqual(self.until(lambda: self.view(workflow)["error"], "the error")["code"], "poll.items")
        preview = self.client.post("/api/polls/preview/", {"trigger_type": "http_poll", "trigger_config": {"url": self.url, "items": "{{ [input.data.asked] }}", "headers": {"X-Token": "{{ vars.token }}"}}})
        self.assertEqual((preview.json["count"], preview.json["results"][0]["item"]), (1, "t1"))
        refused = self.client.post("/api/polls/preview/", {"trigger_type": "http_poll", "trigger_config": {"url": "http://169.254.169.254/", "items": "{{ input.data }}"}})
        self.assertEqual((refused.status, refused.json["error"]["code"]), (200, "http.blocked_address"))
        for type_, config, pointer in (("http_poll", {"items": "{{ input }}"}, "/trigger_config"), ("http_poll", {"url": "ftp://x", "items": "{{ input }}", "every_seconds": 1}, "/trigger_config/every_seconds"),
                                       ("http_poll", {"url": "{{ input.x }}", "items": "{{ input }}"}, "/trigger_config/url"), ("file_watch", {"dir": "x"}, "/trigger_config/dir")):
            reply = self.client.post("/api/polls/preview/", {"trigger_type": type_, "trigger_config": config})
            self.assertEqual(reply.status, 422, reply.body)
            self.assertIn(pointer, [error["pointer"] for error in reply.json["errors"]], reply.body)


class WaitTest(EventTest):
    def waiting(self, name: str, key=None, **config) -> dict:
        return self.create({"name": name, "steps": [step("w", "wait_event", {"name": "order.paid", **({"key": key} if key else {}), **config})], "output": "{{ steps.w.output }}"})

    def test_the_event_with_the_key_ends_the_wait(self) -> None:
        workflow = self.waiting("Keyed", "{{ input.order }}")
        mine, other = (self.run_workflow(workflow, {"order": order}, wait=0) for order in ("k1", "k2"))
        self.wait_for(mine, "waiting")
        self.wait_for(other, "waiting")
        event = self.publish("order.paid", key="k1", data={"total": 5})
        ended = self.finished(mine["id"])
        self.assertEqual((ended["output"]["data"], ended["output"]["id"]), ({"total": 5}, event["id"]))
        self.assertEqual(self.handled(event)["outcome"], [{"execution_id": mine["id"], "outcome": "woken"}])
        self.assertEqual(self.client.get(f"/api/executions/{other['id']}/").json["status"], "waiting")
        self.client.post(f"/api/executions/{other['id']}/cancel/")

    def test_an_event_that_came_before_the_step_is_not_missed(self) -> None:
        workflow = self.create({"name": "Early", "output": "{{ [steps.first.output.data, steps.second.output.data] }}", "steps": [
            step("go", "wait_signal", {"name": "go"}),
            step("first", "wait_event", {"name": "early.came", "key": "e"}, depends_on=["go"]),
            step("second", "wait_event", {"name": "early.came", "key": "e"}, depends_on=["first"])]})
        self.publish("early.came", key="e", data="before the execution")
        execution = self.run_workflow(workflow, wait=0)
        self.wait_for(execution, "waiting")
        for number in (1, 2):
            self.handled(self.publish("early.came", key="e", data=number))
        self.client.post(f"/api/executions/{execution['id']}/signals/go/", {})
        self.assertEqual(self.finished(execution["id"])["output"], [1, 2])

    def test_since_now_wants_a_new_one(self) -> None:
        workflow = self.create({"name": "Now", "steps": [step("go", "wait_signal", {"name": "go"}),
                                                         step("w", "wait_event", {"name": "now.came", "since": "now", "timeout_seconds": 3}, depends_on=["go"])]})
        execution = self.run_workflow(workflow, wait=0)
        self.wait_for(execution, "waiting")
        self.handled(self.publish("now.came"))
        self.client.post(f"/api/executions/{execution['id']}/signals/go/", {})
        self.assertEqual(self.finished(execution["id"])["error"]["code"], "event.timeout")

    def test_own_events_can_not_be_waited_for(self) -> None:
        reply = self.client.post("/api/workflows/", {"name": "Bad", "steps": [step("w", "wait_event", {"name": "execution.failed"})]})
        self.assertEqual((reply.status, reply.json["errors"][0]["pointer"]), (422, "/steps/0/config/name"))


class CrashTest(unittest.TestCase):
    """A server that is killed while it hands events out: every subscriber hears of each event once, and every wait ends."""

    MOST_EVENTS = 3000  # the server dies long before

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowpilot-events-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def serve(self, failpoint: str = "") -> Server:
        server = Server(self.folder / "data", env={"FLOWPILOT_FAILPOINTS": failpoint} if failpoint else {})
        self.addCleanup(server.stop, signal.SIGKILL)
        return server

    def client_of(self, server: Server) -> Client:
        client = server.client()
        self.addCleanup(client.close)
        return client

    def publish_all(self, server: Server, prefix: str) -> set:
        acknowledged = set()
        client = self.client_of(server)
        try:
            for number in range(self.MOST_EVENTS):
                reply = client.post("/api/events/", {"name": "crash.happened", "key": f"{prefix}{number}", "data": f"{prefix}{number}"}, headers={"Idempotency-Key": f"{prefix}{number}"})
                if reply.status == 202:
                    acknowledged.add(f"{prefix}{number}")
        except GONE:
            pass
        return acknowledged

    def test_nobody_hears_twice_or_not_at_all(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        workflows = [client.post("/api/workflows/", subscriber(f"Hears {number}", "crash.*")).json["id"] for number in range(2)]
        waits = client.post("/api/workflows/", {"name": "Waits", "steps": [step("w", "wait_event", {"name": "crash.happened", "key": "{{ input.key }}"})]}).json["id"]
        for workflow in (*workflows, waits):
            client.post(f"/api/workflows/{workflow}/publish/")
        server.stop()
        acknowledged, waiting = set(), []
        kills = [f"{name}:kill@{hit}" for name in ("events.started", "events.settle.before") for hit in (1, 2, 10)]
        for round, failpoint in enumerate(kills):
            server = self.serve(failpoint)
            client = self.client_of(server)
            try:
                for number in range(0, 30, 5):
                    reply = client.post(f"/api/workflows/{waits}/run/", {"input": {"key": f"r{round}-{number}"}})
                    waiting.append(reply.json["id"])
            except GONE:
                pass  # what it acknowledged is in the list
            acknowledged |= self.publish_all(server, f"r{round}-")
            server.process.wait(60)
            self.assertEqual(server.process.returncode, -signal.SIGKILL, f"{failpoint} was never reached")
        self.assertGreater(len(acknowledged), 15)
        server = self.serve()
        client = self.client_of(server)
        ends = time.monotonic() + 60
        while any(event["handled_at"] is None for event in client.get("/api/events/?limit=200").json["results"]):
            self.assertLess(time.monotonic(), ends, "events are not handed out")
        for workflow in workflows:
            heard = []
            cursor = ""
            while cursor is not None:
                page = client.get(f"/api/executions/?workflow={workflow}&limit=200{cursor and '&cursor=' + cursor}").json
                heard += [client.get(f"/api/executions/{one['id']}/").json["input"]["data"] for one in page["results"]]
                cursor = page["next"]
            self.assertEqual(len(heard), len(set(heard)), "somebody heard of an event twice")
            self.assertLessEqual(acknowledged, set(heard), "an acknowledged event started nothing")
        for id in waiting:
            execution = client.get(f"/api/executions/{id}/").json
            if execution["input"]["key"] not in acknowledged:
                continue
            while execution["status"] != "completed":
                self.assertLess(time.monotonic(), ends, f"{id} still waits for {execution['input']['key']}")
                execution = client.get(f"/api/executions/{id}/").json


class ManyTest(EventTest):
    def test_many_publishers_at_once(self) -> None:
        workflow = self.create(subscriber("Many", "many.happened"))
        def publish(first: int) -> None:
            client = Client(self.server.port)
            for number in range(first, first + 50):
                client.post("/api/events/", {"name": "many.happened", "data": number}, check=False)
            client.close()
        threads = [threading.Thread(target=publish, args=(first,)) for first in range(0, 400, 50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.until(lambda: self.client.get(f"/api/executions/?workflow={workflow['id']}&status=completed&limit=1").json["count"] == 400, "400 executions")
        self.assertEqual(self.client.get(f"/api/executions/?workflow={workflow['id']}&limit=1").json["count"], 400)


if __name__ == "__main__":
    unittest.main()
