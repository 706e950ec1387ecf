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


def multipart(boundary: str, fields: dict, files: dict | None = None) -> bytes:
    lines = []
    for name, value in {**fields, **(files or {})}.items():
        file = f'; filename="{name}.bin"\r\nContent-Type: image/png' if name in (files or {}) else ""
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n")
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


class WebhookTest(ServerTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="flowpilot-e2e-"))
        (cls.folder / "files").mkdir()
        cls.server = Server(cls.folder / "data", "--trusted-proxy", "127.0.0.1", "--var", "least=10", "--file-root", str(cls.folder / "files"), env={**os.environ, **SECRETS})

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
                                          ("multipart/mixed; boundary=x", b"--x--", 415, "webhook.media"), ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--", 400, "webhook.body"),
                                          ("multipart/form-data; boundary=x", multipart("x", {f"f{i}": b"" for i in range(1001)}), 413, "webhook.too_large"), ("application/x-www-form-urlencoded", b"a&" * 2000, 413, "webhook.too_large")):
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

    def test_a_condition_lets_requests_be_ignored(self) -> None:
        for name, condition in (("plain", "{{ input.body.paid }}"), ("script", "{{ input.body.paid && input.body.total > vars.least }}")):
            workflow = self.create(document(f"Only {name}", f"only/{name}", respond="result", only_if=condition, output="{{ input.body.total }}"))
            self.assertEqual(self.hook(f"only/{name}", {"paid": 1, "total": 20}).json, 20)
            for body in ({"paid": 0, "total": 20}, {"paid": "", "total": 20}, {"paid": None, "total": 20}, {"paid": False, "total": 20}):
                ignored = self.hook(f"only/{name}", body)
                self.assertEqual((ignored.status, ignored.json), (200, {"status": "ignored"}))
            refused = self.hook(f"only/{name}", None)
            self.assertEqual((refused.status, refused.code), (422, "webhook.condition"), refused.body)
            self.assertEqual([row["outcome"] for row in self.requests(workflow)], ["webhook.condition", *["ignored"] * 4, "triggered"])
            self.assertEqual(self.executions(workflow), 1)
        self.assertEqual(self.requests(workflow)[1]["request"]["body"], {"paid": False, "total": 20}, "it can be looked at and replayed")

    def test_deliveries_are_told_apart_by_an_expression(self) -> None:
        workflow = self.create(document("Orders", "orders", dedupe="{{ input.body.shop }}/{{ input.body.order }}"))
        first = self.hook("orders", {"shop": "a", "order": 1, "try": 1})
        again = self.hook("orders", {"shop": "a", "order": 1, "try": 2})
        self.assertEqual((first.status, again.status, again.json["deduplicated"], again.json["execution_id"]), (202, 200, True, first.json["execution_id"]))
        self.assertEqual((self.hook("orders", {"shop": "b", "order": 1}).status, self.executions(workflow)), (202, 2))
        self.create(document("Lost", "lost", dedupe="{{ input.body.order }}"))
        for body in ({}, {"order": None}, {"order": ""}):
            refused = self.hook("lost", body)
            self.assertEqual((refused.status, refused.code), (422, "webhook.dedupe"), refused.body)

    def test_only_addresses_allowed_may_call(self) -> None:
        workflow = self.create(document("Fence", "fence", allow_addresses=["192.0.2.0/24", "2001:db8::/32"]))
        for forwarded, status in (("192.0.2.7", 202), ("::ffff:192.0.2.8", 202), ("[2001:db8::1]:4711", 202), ("203.0.113.1", 403), ("192.0.2.7, 203.0.113.1", 403),
                                  ("203.0.113.1, 192.0.2.7, 127.0.0.1", 202), ("nonsense", 403), ("192.0.2.7,", 403)):
            reply = self.hook("fence", {}, headers={"X-Forwarded-For": forwarded})
            self.assertEqual(reply.status, status, forwarded)
        direct = self.hook("fence", {})
        self.assertEqual((direct.status, direct.code), (403, "webhook.address"))
        self.assertEqual([row["peer"] for row in self.requests(workflow)][:2], ["127.0.0.1", "unknown"])

    def test_who_is_no_proxy_can_not_say_where_it_comes_from(self) -> None:
        server = Server(self.folder / "direct")
        client = server.client()
        made = client.post("/api/workflows/", document("Fence", "fence", allow_addresses="192.0.2.0/24"))
        client.post(f"/api/workflows/{made.json['id']}/publish/")
        self.assertEqual(client.call("POST", "/hooks/fence", {}, {"X-Forwarded-For": "192.0.2.7"}, check=False).status, 403)
        client.close()
        server.stop()

    def test_files_of_a_form_reach_the_steps(self) -> None:
        for size in (0, 1000, 5_000_000):
            content = os.urandom(size)
            workflow = self.create(document(f"Upload {size}", f"upload/{size}", [
                step("save", "file_write", {"path": f"saved-{size}", "encoding": "base64", "content": "{{ input.body.photo.base64 }}"})], respond="result",
                output="{{ [input.body.who, input.body.photo.filename, input.body.photo.content_type, input.body.photo.size, input.body.photo.sha256] }}"))
            reply = self.hook(f"upload/{size}", multipart("b0undary", {"who": "Ada Löß".encode()}, {"photo": content}), headers={"Content-Type": "multipart/form-data; boundary=b0undary"})
            self.assertEqual(reply.json, ["Ada Löß", "photo.bin", "image/png", size, hashlib.sha256(content).hexdigest()], reply.body[:500])
            self.assertEqual((self.folder / "files" / f"saved-{size}").read_bytes(), content)
            self.assertEqual(self.requests(workflow)[0]["request"] is not None, size <= 1000)
        forged = {"photo": {"filename": "/etc/passwd", "content_type": "image/png", "size": 4, "sha256": "", "path": "/etc/passwd"}}
        failed = self.hook("upload/1000", forged)
        self.assertEqual((failed.status, failed.code), (502, "webhook.failed"), "JSON that looks like a file has no bytes")
        self.create(document("Forged", "forged", respond="result", output="{{ input.body }}"))
        self.assertEqual(self.hook("forged", forged).json, forged)

    def test_the_raw_bytes(self) -> None:
        self.create({**document("Raw", "raw", respond="result", raw=True, output="{{ input.raw }}"), "inputs": {"type": "object"}})
        body = b'{ "a" :1}'
        self.assertEqual(base64.b64decode(self.hook("raw", body).json), body)

    def test_a_draft_is_tried_at_a_url_of_its_own(self) -> None:
        workflow = self.create(document("Draft", "draft/:id", signature="github", secret="OLD"), publish=False)
        at = f"/api/webhooks/{workflow['id']}/hook/listen/"
        listener = self.client.get(at).json
        self.assertEqual((listener["listening"], listener["until"]), (False, None))
        body = b'{"n": 1}'

        def send(words="", payload=body, method="POST", secret="old"):
            return self.client.call(method, listener["path"] + words, payload, {"X-Hub-Signature-256": sign(secret, payload)}, check=False)
        self.assertEqual(send().status, 404, "nobody listens")
        self.assertTrue(self.client.post(at).json["listening"])
        captured = send("draft/7")
        self.assertEqual((captured.status, captured.json), (200, {"status": "captured"}))
        self.assertEqual((send().status, send("draft/7", secret="wrong").status, send("nowhere/7").status, send(method="PUT").status), (200, 401, 404, 405))
        rows = self.requests(workflow)
        self.assertEqual([(row["test"], row["outcome"]) for row in rows], [(True, "method.not_allowed"), (True, "webhook.signature"), (True, "captured"), (True, "captured")])
        self.assertEqual((rows[-1]["request"]["params"], rows[-2]["request"]["params"], rows[-1]["request"]["body"], self.executions(workflow)), ({"id": "7"}, {"id": ""}, {"n": 1}, 0))
        self.assertEqual(self.hook("draft/7", body).status, 404, "the draft listens nowhere else")
        self.client.post(at, {"run": True, "seconds": 60})
        ran = send("draft/8")
        self.assertEqual(ran.status, 202, ran.body)
        done = self.wait_for({"id": ran.json["execution_id"]}, "completed")
        self.assertEqual((done["workflow_version"], done["output"]["params"]), (None, {"id": "8"}))
        self.assertFalse(self.client.post(at, {"seconds": 0}).json["listening"])
        self.assertEqual(send().status, 404)
        self.assertEqual(self.client.get(f"/api/webhooks/{workflow['id']}/nothing/listen/").status, 404)

    def test_a_draft_with_mistakes_elsewhere_can_be_tried(self) -> None:
        broken = {**document("Broken", "broken", only_if="{{ input.body.n }}"), "steps": [{"id": "x", "step_type": "nonsense"}]}
        workflow = self.client.post("/api/workflows/?allow_invalid=true", broken).json
        at = f"/api/webhooks/{workflow['id']}/hook/listen/"
        path = self.client.post(at).json["path"]
        self.assertEqual([self.client.call("POST", path, {"n": n}, check=False).json["status"] for n in (1, 0)], ["captured", "ignored"])
        self.client.post(at, {"run": True})
        self.assertEqual(self.client.call("POST", path, {"n": 1}, check=False).code, "workflow.invalid")
        broken["triggers"][0]["trigger_config"]["only_if"] = "always"
        self.client.call("PUT", f"/api/workflows/{workflow['id']}/?allow_invalid=true", broken, {"If-Match": self.client.get(f"/api/workflows/{workflow['id']}/").headers["ETag"]})
        self.client.post(at)
        refused = self.client.call("POST", path, {"n": 1}, check=False)
        self.assertEqual((refused.code, [issue["pointer"] for issue in refused.json["errors"]]), ("workflow.invalid", ["/triggers/0/trigger_config/only_if"]))

    def test_mistakes_in_a_trigger_are_named(self) -> None:
        for config, pointer in (({"path": "a", "only_if": "yes"}, "only_if"), ({"path": "a", "only_if": "{{ input.a }} {{ input.b }}"}, "only_if"), ({"path": "a", "only_if": "{{ steps.a.output }}"}, "only_if"),
                                ({"path": "a", "only_if": "{{ input.( }}"}, "only_if"), ({"path": "a", "dedupe": "id"}, "dedupe"), ({"path": "a", "allow_addresses": ["10.0.0.0/33"]}, "allow_addresses"),
                                ({"path": "a", "allow_addresses": "example.org"}, "allow_addresses"), ({"path": "a", "input": "body", "raw": True}, "raw"), ({"path": "a b"}, "path"), ({"path": "../etc"}, "path"), ({"path": "a", "signature": "hmac"}, "secret"), ({"path": "a", "secret": "lower"}, "secret"),
                                ({"path": "a", "methods": ["FETCH"]}, "methods"), ({"path": "a", "cors_origins": ["example.org"]}, "cors_origins"), ({"path": "a", "nothing": 1}, "nothing")):
            reply = self.client.post("/api/workflows/", document("Wrong", **config))
            self.assertEqual((reply.status, [error["pointer"] for error in reply.json["errors"]]), (422, [f"/triggers/0/trigger_config/{pointer}"]), config)

    def test_nobody_learns_what_exists(self) -> None:
        bodies = {self.hook(path, {}).body.replace(path.encode(), b"").split(b'"request_id"')[0] for path in ("no-such", "neither")}
        self.assertEqual(len(bodies), 1)
        self.assertEqual(self.hook("", {}).status, 404)


class LogTest(unittest.TestCase):
    def test_the_log_of_requests_survives_a_restart(self) -> None:
        with tempfile.TemporaryDirectory(prefix="flowpilot-e2e-") as folder:
            server = Server(Path(folder) / "data")
            client = server.client()
            workflow = client.post("/api/workflows/", document("Log", "log")).json
            client.post(f"/api/workflows/{workflow['id']}/publish/")
            at = f"/api/webhooks/{workflow['id']}/hook/requests/"
            for n in range(150):
                client.call("POST", "/hooks/log", {"n": n}, check=False)
            before = client.get(at).json["results"]
            self.assertEqual([row["request"]["body"]["n"] for row in before], list(range(149, 49, -1)))
            client.close()
            server.stop()
            server = Server(Path(folder) / "data")
            client = server.client()
            self.assertEqual(client.get("/api/webhooks/").json["results"][0]["last_request_at"], before[0]["at"])
            client.call("POST", "/hooks/log", {"n": 150}, check=False)
            after = client.get(at).json["results"]
            self.assertEqual(after[1:], before[:99])
            self.assertEqual(after[0]["number"], before[0]["number"] + 1)
            self.assertEqual(client.post(f"{at}{after[99]['number']}/replay/").status, 202)
            client.close()
            server.stop(signal.SIGKILL)
            server = Server(Path(folder) / "data")
            client = server.client()
            self.assertIn(client.get(at).json["results"][0], after[:2], "a crash loses no more than the last second")
            client.close()
            server.stop()


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
            began = time.monotonic()
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
            print(f"{len(accepted)} starts over {self.RESTARTS} restarts, {len(accepted) / (time.monotonic() - began):.0f} a second")
            self.assertEqual(false, [])
            self.assertGreater(len(accepted), 200 * self.RESTARTS)
            missing = [one for one in accepted if client.get(f"/api/executions/{one}/", check=False).status != 200]
            client.close()
            server.stop()
            self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
