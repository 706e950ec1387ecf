"""Webhooks through the real binary: what starts an execution, what does not, and that nothing starts twice or is lost."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import Server, ServerTest, step

SECRETS = {"FLOWPILOT_SECRET_GITHUB": "It's a Secret to Everybody", "FLOWPILOT_SECRET_OLD": "old", "FLOWPILOT_SECRET_TOKEN": "t0ken-of-the-caller"}


def document(name: str, path: str, steps=None, output="{{ input }}", **config) -> dict:
    return {"name": name, "triggers": [{"id": "hook", "trigger_type": "webhook", "trigger_config": {"path": path, **config}}],
            "steps": steps or [step("a", "noop", {"output": 1})], "output": output}


def sign(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class WebhookTest(ServerTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="flowpilot-e2e-"))
        cls.server = Server(cls.folder / "data", env={**os.environ, **SECRETS})

    def hook(self, path: str, body=None, method="POST", headers=None):
        return self.client.call(method, f"/hooks/{path}", body, headers, check=False)

    def requests(self, workflow: dict) -> list:
        return self.client.get(f"/api/webhooks/{workflow['id']}/hook/requests/").json["results"]

    def executions(self, workflow: dict) -> int:
        return self.client.get(f"/api/executions/?workflow={workflow['id']}").json["count"]

    def test_a_request_starts_an_execution_with_all_of_itself(self) -> None:
        workflow = self.create(document("All", "users/:id/sign-up", methods=["POST", "PUT"]))
        reply = self.hook("users/7/sign-up?a=1&b=2&a=3", {"email": "ada@example.org"}, headers={"X-Custom": "x", "Authorization": "Bearer s3cret", "Cookie": "a=b"})
        self.assertEqual((reply.status, reply.json["status"]), (202, "triggered"), reply.body)
        done = self.wait_for({"id": reply.json["execution_id"]}, "completed")
        self.assertEqual((done["trigger"], done["workflow_version"], done["workflow"]), ("webhook", 1, workflow["id"]))
        found = done["output"]
        self.assertEqual((found["method"], found["path"], found["params"], found["query"], found["body"]),
                         ("POST", "/hooks/users/7/sign-up", {"id": "7"}, {"a": ["1", "3"], "b": "2"}, {"email": "ada@example.org"}))
        self.assertEqual((found["headers"]["x-custom"], found["headers"]["authorization"], found["headers"]["cookie"]), ("x", "[hidden]", "[hidden]"))
        seen = self.requests(workflow)[0]
        self.assertEqual((seen["status"], seen["outcome"], seen["signature"], seen["request"], seen["execution_id"]), (202, "triggered", "none", found, done["id"]))
        self.assertEqual(self.hook("users/7/sign-up", method="PUT").status, 202)
        refused = self.hook("users/7/sign-up", method="GET")
        self.assertEqual((refused.status, sorted(refused.headers["Allow"].split(", "))), (405, ["POST", "PUT"]))

    def test_a_workflow_with_a_schema_gets_the_body(self) -> None:
        workflow = self.create({**document("Schema", "schema", respond="result"), "inputs": {"type": "object", "required": ["email"], "properties": {"email": {"type": "string"}}}})
        self.assertEqual(self.hook("schema", {"email": "a@b.org"}).json, {"email": "a@b.org"})
        refused = self.hook("schema", {"mail": "a@b.org"})
        self.assertEqual((refused.status, refused.code), (422, "input.invalid"), refused.body)
        self.assertEqual([row["status"] for row in self.requests(workflow)], [422, 200])

    def test_answers(self) -> None:
        self.create(document("Result", "result", respond="result", output="{{ [input.body.a, 2] }}"))
        self.assertEqual(self.hook("result", {"a": 1}).json, [1, 2])
        self.create(document("Respond", "respond", [step("r", "respond", {"status": 201, "headers": {"X-Mine": "yes", "Content-Type": "text/html"}, "body": "<b>{{ input.body.a }}</b>"})], respond="respond"))
        reply = self.hook("respond", {"a": 1})
        self.assertEqual((reply.status, reply.body, reply.headers["X-Mine"], reply.headers["Content-Type"]), (201, b"<b>1</b>", "yes", "text/html"))
        self.assertIn("sandbox", reply.headers["Content-Security-Policy"])
        self.create(document("Late", "late", [step("w", "wait_signal", {"name": "go"})], respond="result", wait_seconds=0.2))
        late = self.hook("late", {})
        self.assertEqual((late.status, late.code), (504, "webhook.timeout"))
        self.create(document("Fails", "fails", [step("f", "fail", {"message": "the password is s3cret"})], respond="result"))
        failed = self.hook("fails", {})
        self.assertEqual((failed.status, failed.code), (502, "webhook.failed"))
        self.assertNotIn(b"s3cret", failed.body)

    def test_what_is_not_published_or_not_enabled_does_not_listen(self) -> None:
        workflow = self.create(document("Life", "life"), publish=False)
        at = f"/api/workflows/{workflow['id']}"
        self.assertEqual(self.hook("life", {}).status, 404)
        self.client.post(f"{at}/publish/")
        self.assertEqual(self.hook("life", {}).status, 202)
        self.client.post(f"{at}/disable/")
        self.assertEqual(self.hook("life", {}).status, 404)
        self.client.post(f"{at}/enable/")
        self.assertEqual(self.hook("life", {}).status, 202)
        seen = self.client.get(f"{at}/")
        moved = {**document("Life", "life2")}
        self.client.call("PUT", f"{at}/", moved, {"If-Match": seen.headers["ETag"]})
        self.assertEqual((self.hook("life", {}).status, self.hook("life2", {}).status), (202, 404), "a draft changes nothing")
        self.client.post(f"{at}/publish/")
        self.assertEqual((self.hook("life", {}).status, self.hook("life2", {}).status), (404, 202))
        self.client.post(f"{at}/rollback/", {"version": 1})
        self.assertEqual((self.hook("life", {}).status, self.hook("life2", {}).status), (202, 404))
        self.client.call("DELETE", f"{at}/")
        self.assertEqual(self.hook("life", {}).status, 404)

    def test_a_path_belongs_to_one_workflow(self) -> None:
        self.create(document("First", "taken/:id"))
        other = self.create(document("Second", "taken/:number"), publish=False)
        refused = self.client.post(f"/api/workflows/{other['id']}/publish/")
        self.assertEqual((refused.status, refused.code), (409, "webhook.path_taken"))
        self.assertIn('"First"', refused.json["detail"])
        self.assertIsNone(self.client.get(f"/api/workflows/{other['id']}/").json["published_version"])

    def test_the_same_delivery_a_hundred_times_at_once_starts_one(self) -> None:
        workflow = self.create(document("Once", "once", delivery_header="X-Delivery"))
        replies = []

        def send() -> None:
            client = self.server.client()
            replies.append(client.call("POST", "/hooks/once", {"n": 1}, {"X-Delivery": "d1"}, check=False))
            client.close()

        threads = [threading.Thread(target=send) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted({reply.status for reply in replies}), [200, 202])
        self.assertEqual((len({reply.json["execution_id"] for reply in replies}), self.executions(workflow)), (1, 1))
        self.assertEqual(sum(reply.status == 202 for reply in replies), 1)
        self.assertTrue(all(reply.json["deduplicated"] for reply in replies if reply.status == 200))
        other = self.hook("once", {"n": 2}, headers={"X-Delivery": "d1"})
        self.assertEqual((other.status, other.code), (409, "webhook.conflict"))
        self.assertEqual((self.hook("once", {"n": 2}, headers={"X-Delivery": "d2"}).status, self.executions(workflow)), (202, 2))
        self.assertEqual(self.hook("once", {}, headers={"X-Delivery": "x" * 257}).code, "webhook.id")

    def test_signatures(self) -> None:
        workflow = self.create(document("Signed", "signed", signature="github", secret=["GITHUB", "OLD"]))
        body = b'{"zen": "Hello"}'
        for secret in SECRETS["FLOWPILOT_SECRET_GITHUB"], "old":
            self.assertEqual(self.hook("signed", body, headers={"X-Hub-Signature-256": sign(secret, body)}).status, 202)
        for headers in ({}, {"X-Hub-Signature-256": sign("wrong", body)}, {"X-Hub-Signature-256": sign("old", body).upper()}, {"X-Hub-Signature-256": sign("old", b'{"zen":"Hello"}')}):
            refused = self.hook("signed", body, headers=headers)
            self.assertEqual((refused.status, refused.code), (401, "webhook.signature"))
        self.assertEqual((self.executions(workflow), self.requests(workflow)[0]["signature"], self.requests(workflow)[0]["request"]), (2, "refused", None))
        self.create(document("Token", "token", signature="token", secret="TOKEN", respond="result"))
        found = self.hook("token", {}, headers={"X-Webhook-Token": SECRETS["FLOWPILOT_SECRET_TOKEN"]})
        self.assertEqual((found.status, found.json["headers"]["x-webhook-token"]), (200, "[hidden]"))
        self.create(document("Gone", "gone", signature="hmac", secret="NOT_THERE"))
        refused = self.hook("gone", {})
        self.assertEqual((refused.status, refused.code), (503, "webhook.secret_missing"))
        listed = {row["path"]: row["problem"] for row in self.client.get("/api/webhooks/").json["results"]}
        self.assertEqual((listed["/hooks/gone"], listed["/hooks/signed"]), ("webhook.secret_missing", None))
        self.assertEqual(Path(f"/proc/{self.server.process.pid}/environ").read_bytes().count(b"t0ken-of-the-caller"), 0)

    def test_bodies_of_every_kind(self) -> None:
        self.create(document("Bodies", "bodies", respond="result", output="{{ input.body }}", methods=["POST", "GET"]))
        for type_, body, expected in (("application/x-www-form-urlencoded", b"a=1&b=x+y", {"a": "1", "b": "x y"}), ("text/plain", "hé".encode(), "hé"),
                                      ("application/octet-stream", b"\0\xff", {"base64": base64.b64encode(b"\0\xff").decode(), "content_type": "application/octet-stream"})):
            self.assertEqual(self.hook("bodies", body, headers={"Content-Type": type_}).json, expected)
        self.assertIsNone(self.hook("bodies", method="GET").json)
        for type_, body, status, code in (("application/json", b"{", 400, "webhook.body"), ("text/plain; charset=utf-16", b"x", 415, "webhook.media"),
                                          ("multipart/form-data; boundary=x", b"--x--", 415, "webhook.media"), ("application/x-www-form-urlencoded", b"a&" * 2000, 413, "webhook.too_large")):
            refused = self.hook("bodies", body, headers={"Content-Type": type_})
            self.assertEqual((refused.status, refused.code), (status, code))
        large = {"list": list(range(50_000))}
        self.assertEqual(self.hook("bodies", large).json, large)

    def test_a_rate_of_its_own(self) -> None:
        self.create(document("Rate", "rate", rate_per_minute=5))
        self.create(document("Other", "other"))
        statuses = [self.hook("rate", {}).status for _ in range(50)]
        self.assertIn(429, statuses)
        self.assertIn("Retry-After", self.hook("rate", {}).headers)
        self.assertLessEqual(statuses.count(202), 10)
        self.assertEqual(self.hook("other", {}).status, 202)

    def test_browsers_of_the_origins_named(self) -> None:
        self.create(document("Cors", "cors", cors_origins=["https://www.example.org"]))
        asked = self.hook("cors", method="OPTIONS", headers={"Origin": "https://www.example.org", "Access-Control-Request-Method": "POST"})
        self.assertEqual((asked.status, asked.headers["Access-Control-Allow-Origin"], asked.headers["Access-Control-Allow-Methods"]), (204, "https://www.example.org", "POST"))
        self.assertEqual(self.hook("cors", {}, headers={"Origin": "https://www.example.org"}).headers["Access-Control-Allow-Origin"], "https://www.example.org")
        self.assertIsNone(self.hook("cors", {}, headers={"Origin": "https://evil.example"}).headers["Access-Control-Allow-Origin"])

    def test_a_request_can_be_replayed(self) -> None:
        workflow = self.create(document("Replay", "replay", delivery_header="X-Delivery"))
        self.hook("replay", {"n": 7}, headers={"X-Delivery": "1"})
        number = self.requests(workflow)[0]["number"]
        again = self.client.post(f"/api/webhooks/{workflow['id']}/hook/requests/{number}/replay/")
        self.assertEqual(again.status, 202, again.body)
        self.assertEqual(self.wait_for(again.json, "completed")["output"]["body"], {"n": 7})
        self.assertEqual(self.client.post(f"/api/webhooks/{workflow['id']}/hook/requests/{number + 999}/replay/").status, 404)

    def test_mistakes_in_a_trigger_are_named(self) -> None:
        for config, pointer in (({"path": "a b"}, "path"), ({"path": "../etc"}, "path"), ({"path": "a", "signature": "hmac"}, "secret"), ({"path": "a", "secret": "lower"}, "secret"),
                                ({"path": "a", "methods": ["FETCH"]}, "methods"), ({"path": "a", "cors_origins": ["example.org"]}, "cors_origins"), ({"path": "a", "nothing": 1}, "nothing")):
            reply = self.client.post("/api/workflows/", document("Wrong", **config))
            self.assertEqual((reply.status, [error["pointer"] for error in reply.json["errors"]]), (422, [f"/triggers/0/trigger_config/{pointer}"]), config)

    def test_nobody_learns_what_exists(self) -> None:
        bodies = {self.hook(path, {}).body.replace(path.encode(), b"").split(b'"request_id"')[0] for path in ("no-such", "neither")}
        self.assertEqual(len(bodies), 1)
        self.assertEqual(self.hook("", {}).status, 404)


class RestartTest(unittest.TestCase):
    """F91, F92: requests come all the time while the server is killed and started again."""

    RESTARTS = int(os.environ.get("FLOWPILOT_HOOK_RESTARTS", "5"))

    def test_every_2xx_has_an_execution_and_no_path_is_lost(self) -> None:
        with tempfile.TemporaryDirectory(prefix="flowpilot-e2e-") as folder:
            server = Server(Path(folder) / "data")
            client = server.client()
            for number in range(50):
                made = client.post("/api/workflows/", document(f"Hook {number}", f"path/{number}"))
                client.post(f"/api/workflows/{made.json['id']}/publish/")
            client.close()
            port, accepted, false, stop = server.port, [], [], threading.Event()

            def send(worker: int) -> None:
                connection, number = None, 0
                while not stop.is_set():
                    number += 1
                    connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                    try:
                        connection.request("POST", f"/hooks/path/{number % 50}", body=b'{"n": %d}' % number, headers={"Content-Type": "application/json"})
                        answer = connection.getresponse()
                        body = answer.read()
                        if answer.status == 202:
                            accepted.append(json.loads(body)["execution_id"])
                        elif answer.status != 503:
                            false.append((answer.status, body))
                    except (OSError, http.client.HTTPException):
                        connection.close()
                        connection = None
                if connection:
                    connection.close()

            threads = [threading.Thread(target=send, args=(worker,)) for worker in range(8)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(self.RESTARTS):
                    before, ends = len(accepted), time.monotonic() + 30
                    while len(accepted) < before + 200 and time.monotonic() < ends:
                        stop.wait(0.01)
                    server.stop(signal.SIGKILL)
                    server = Server(Path(folder) / "data", "--port", str(port))
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            client = server.client()
            self.assertEqual(false, [])
            self.assertGreater(len(accepted), 200 * self.RESTARTS)
            missing = [one for one in accepted if client.get(f"/api/executions/{one}/", check=False).status != 200]
            client.close()
            server.stop()
            self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
