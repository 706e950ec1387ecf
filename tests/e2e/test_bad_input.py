#!/usr/bin/env python3
"""Everything wrong that a client can send: a table of what each mistake is answered with, and mutated requests to every route. Never a 5xx,
never a hang, always a problem document. Needs FLOWPILOT_BIN; FLOWPILOT_BAD_INPUT=1000 sends so many to each route."""
import json
import os
import random
import re
import socket
import struct
import unittest
import urllib.parse
import uuid

from harness import CONTRACT, OPENAPI, Reply, ServerTest, WebSocket, step
from test_workers import Worker

TIMES = int(os.environ.get("FLOWPILOT_BAD_INPUT", "60"))
SEED = int(os.environ.get("FLOWPILOT_BAD_INPUT_SEED", "1"))
JSON = "application/json"
VALIDATE, PREVIEW, CREATE, LIST = "/api/workflows/validate/", "/api/expressions/preview/", "/api/workflows/", "/api/executions/"
NOBODY = "00000000-0000-7000-8000-000000000000"


def exchange(port: int, data: bytes, timeout: float = 30) -> list[tuple[Reply, bool]]:
    """Sends bytes as they are; every answer that comes before the server closes or falls silent for good (Connection: close is ours)."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as peer:
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has refused already
        received = b""
        try:
            while more := peer.recv(1 << 16):
                received += more
        except ConnectionResetError:
            pass
    return list(parse_replies(received))


def parse_replies(received: bytes):
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.title(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        size = int(headers.get("Content-Length", "0"))
        yield Reply(int(lines[0].split()[1]), headers, rest[:size])
        received = rest[size:]


def request(method: str, target: str, body: bytes = b"", headers=None, host: str | None = "127.0.0.1") -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name in headers or {}):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def document(*steps, **more) -> dict:
    return {"name": "Bad", "steps": list(steps), **more}


class BadInputTest(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        # tearDownClass asks too; this says which test it was.
        self.server.drain_log()
        self.addCleanup(self.check_still_well)

    def check_still_well(self) -> None:
        self.assertEqual(self.client.get("/healthz").status, 200)
        errors = [line for line in self.server.drain_log().splitlines() if '"level":"error"' in line]
        self.assertEqual(errors, [])

    def send(self, method: str, path: str, body=None, headers=None):
        return self.client.call(method, path, body, headers)

    def expect(self, status: int, code: str, method: str, path: str, body=None, headers=None) -> dict:
        reply = self.send(method, path, body, headers)
        self.assertEqual((reply.status, reply.code), (status, code), f"{method} {path}: {reply.body[:300]}")
        self.assertEqual(reply.headers["Content-Type"].split(";")[0], "application/problem+json")
        return reply.json

    # B01 to B06: the text of a body

    def test_bodies_that_are_not_json(self) -> None:
        text = {JSON: {"Content-Type": JSON}}[JSON]
        rows = [("B01", b" ", 400, "json.empty"), ("B01", b"\n\t ", 400, "json.empty"),
                ("B02", b'{"template":1,}', 400, "json.syntax"), ("B02", b'{"template":NaN}', 400, "json.syntax"), ("B02", b"{'template':1}", 400, "json.syntax"),
                ("B02", b'{"template":1/*x*/}', 400, "json.syntax"), ("B02", b'\xef\xbb\xbf{"template":1}', 400, "json.syntax"), ("B02", b'{"template":1}{}', 400, "json.syntax"),
                ("B02", b'{"template":"\xff"}', 400, "json.syntax"), ("B02", b'{"template":"\\ud800"}', 400, "json.syntax"), ("B02", b'{"template":"a\x01"}', 400, "json.syntax"),
                ("B02", b'{"template":1,"template":2}', 400, "json.duplicate_key"),
                ("B05", b'{"template":' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "json.too_deep"),
                ("B06", b'{"template":1e999}', 400, "json.number_range"),
                ("B06", b'{"template":' + b"9" * 500 + b"}", 400, "json.number_range"), ("B06", b'{"template":36893488147419103232}', 400, "json.number_range")]
        for row, body, status, code in rows:
            with self.subTest(row=row, body=body[:40]):
                problem = self.expect(status, code, "POST", PREVIEW, body, text)
                if code == "json.syntax":
                    self.assertRegex(problem["detail"], r"line \d+, column \d+")
                self.expect(status, code, "POST", VALIDATE, body, text)

    def test_numbers_come_back_exactly(self) -> None:
        for text in ("9007199254740993", "-9223372036854775808", "18446744073709551615", "0.1", "1.5e-300"):
            with self.subTest(text):
                reply = self.send("POST", PREVIEW, b'{"template":' + text.encode() + b"}", {"Content-Type": JSON})
                if reply.status == 200:
                    self.assertIn(f'"value":{text}'.encode(), re.sub(rb"E([+-]?)", rb"e\1", reply.body).replace(b"e+", b"e"), "rounded or rewritten")
                else:
                    self.assertEqual(reply.code, "json.number_range")

    def test_bodies_that_are_too_large_are_refused_unread(self) -> None:
        for framing in ({"Content-Length": str(1 << 40)}, {"Transfer-Encoding": "chunked"}):
            with self.subTest(framing):
                body = b"x" if "Content-Length" in framing else b"%x\r\n" % (1 << 40) + b"x" * 1000
                (reply,) = exchange(self.server.port, request("POST", PREVIEW, body, {"Content-Type": JSON, **framing}))
                self.assertEqual((reply.status, reply.code, reply.headers["Connection"].lower()), (413, "body.too_large", "close"))

    def test_content_types_that_are_not_json(self) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", "", "application/json, text/plain", "*/*"):
            with self.subTest(kind):
                self.expect(415, "content_type.unsupported", "POST", PREVIEW, b'{"template":1}', {"Content-Type": kind})
        for kind in ("application/json; charset=utf-8", "Application/JSON"):
            self.assertEqual(self.send("POST", PREVIEW, b'{"template":1}', {"Content-Type": kind}).status, 200)

    # B12, B13, B22, B23: the head of a request

    def test_heads_that_are_too_large_or_not_http(self) -> None:
        many = {f"X-{n}": "1" for n in range(101)}
        rows = [("B12", request("GET", "/healthz", headers={"X": "a" * 9000}), 431, "request.header_too_large"), ("B12", request("GET", "/healthz", headers=many), 431, "request.header_too_large"),
                ("B12", request("GET", "/healthz?" + "a" * 9000), 414, "request.uri_too_long"),
                ("B13", request("TRACE", "/healthz"), 405, "request.method"), ("B13", request("BREW", "/healthz"), 405, "request.method"), ("B13", request("CONNECT", "/healthz"), 405, "request.method"),
                ("B22", request("GET", "/healthz", host=None), 400, "request.host"), ("B22", request("GET", "/healthz", host="evil.example"), 421, "request.host"),
                ("B22", request("GET", "/healthz", headers={"host": "127.0.0.1"}), 400, "request.malformed"),
                ("B23", request("POST", PREVIEW, b"{}", {"Expect": "x", "Content-Type": JSON}), 417, "request.expect"),
                ("", request("POST", PREVIEW, b"{}", {"Content-Length": "2", "content-length": "3"}), 400, "request.malformed"),
                ("", request("POST", PREVIEW, b"{}", {"Content-Length": "2", "Transfer-Encoding": "chunked"}), 400, "request.malformed"),
                ("", request("POST", PREVIEW, b"{}", {"Content-Length": "-2"}), 400, "request.malformed"), ("", request("POST", PREVIEW, b"zz\r\n", {"Transfer-Encoding": "chunked"}), 400, "request.malformed"),
                ("", request("GET", "/a%2fb"), 400, "request.malformed"), ("", request("GET", "/%00"), 400, "request.malformed"), ("", request("GET", "/%zz"), 400, "request.malformed"),
                ("", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n X: folded\r\n\r\n", 400, "request.malformed"), ("", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "request.malformed"),
                ("", b"GET /healthz HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n", 505, "request.version"), ("", b"GET  /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400, "request.malformed")]
        for row, data, status, code in rows:
            with self.subTest(row=row, data=data[:60]):
                replies = exchange(self.server.port, data)
                self.assertEqual([(reply.status, reply.code) for reply in replies], [(status, code)])
                CONTRACT.check_schema("problem", {"$ref": "#/components/schemas/Problem"}, replies[0], "refusal")

    def test_methods_a_path_does_not_take(self) -> None:
        for method, path, allowed in (("DELETE", CREATE, {"GET", "HEAD", "POST"}), ("PATCH", f"/api/workflows/{NOBODY}/", {"GET", "HEAD", "PUT", "DELETE"}), ("GET", PREVIEW, {"POST"}), ("POST", "/healthz", {"GET", "HEAD"})):
            with self.subTest(method=method, path=path):
                reply = self.send(method, path)
                self.assertEqual((reply.status, reply.code), (405, "method.not_allowed"))
                self.assertLessEqual(set(re.split(", *", reply.headers["Allow"])) - {"OPTIONS"}, allowed)

    # B14 to B20: what is asked for

    def test_bodies_that_do_not_fit_their_schema(self) -> None:
        workflow = self.create(document(step("a")))["id"]
        run = f"/api/workflows/{workflow}/run/"
        for body, code in (({"inptu": {}}, "field.unknown"), ({"wait_seconds": "1"}, "validation.failed"), ({"wait_seconds": -1}, "validation.failed"), ({"wait_seconds": 1e300}, "validation.failed"),
                           ({"draft": "yes"}, "validation.failed"), ({"labels": {"a b": "x"}}, "validation.failed"), ({"labels": {"a": 1}}, "validation.failed"),
                           ({"labels": {f"k{n}": "v" for n in range(21)}}, "validation.failed"), ([], "validation.failed"), ("x", "validation.failed"), (None, "validation.failed")):
            with self.subTest(body=str(body)[:60]):
                problem = self.expect(422, code, "POST", run, json.dumps(body).encode(), {"Content-Type": JSON})
                self.assertTrue(problem["errors"])
                self.assertTrue(all(issue["pointer"] == "" or issue["pointer"].startswith("/") for issue in problem["errors"]))
        many = self.expect(422, "field.unknown", "POST", run, {f"f{n}": n for n in range(80)})
        self.assertEqual(len(many["errors"]), 50)

    def test_ids_that_nothing_has(self) -> None:
        bodies = set()
        for id in (NOBODY, str(uuid.uuid4()), "1", "x" * 300, "%2e%2e%2e", "'%20OR%201=1--", "%F0%9F%92%A9", "null", "-1"):
            for path in (f"/api/workflows/{id}/", f"/api/executions/{id}/", f"/api/executions/{id}/events/", f"/api/executions/bulk/{id}/"):
                with self.subTest(path):
                    problem = self.expect(404, "not_found", "GET", path)
                    bodies.add((problem["title"], problem["code"]))
        self.assertEqual(len(bodies), 1)

    def test_what_is_repeated_is_cut_between_characters(self) -> None:
        long = "€" * 70
        quoted = urllib.parse.quote(long)
        for shift in ("", "a", "ab"):
            for method, path, body in (("GET", f"/{shift}{quoted}/", None), ("DELETE", f"/api/executions/{shift}{quoted}/", None), ("GET", f"{LIST}?{shift}{quoted}=1", None), ("GET", f"{LIST}?since={shift}{quoted}", None),
                                       ("POST", PREVIEW, {"template": 1, "data": {shift + long: 1}}), ("POST", PREVIEW, {"template": 1, shift + long: 1}),
                                       ("POST", PREVIEW, f'{{"{shift}{long}":1,"{shift}{long}":2}}'.encode()), ("POST", VALIDATE, document(step(shift + long)))):
                with self.subTest(method=method, path=path[:40], shift=shift):
                    self.assertEqual(self.send(method, path, body, {"Content-Type": JSON}).body.decode("utf-8").count("\ufffd"), 0)

    def test_parameters_that_make_no_sense(self) -> None:
        for query in ("limit=-1", "limit=1000000000", "limit=abc", "limit=0", "limit=", "limit=1e1", "limit=99999999999999999999999", "cursor=forged", "cursor=AAAA", "cursor=%00", "limit=1&limit=2",
                      "sort=id;DROP", "order_by=1", "status=running'--", "status=", "since=yesterday", "since=2026-13-01T00:00:00Z", "parent=1", "x=1", "label=", "search=" + "a" * 201):
            with self.subTest(query[:40]):
                reply = self.send("GET", f"{LIST}?{query}")
                self.assertEqual(reply.status, 400, reply.body[:200])
                self.assertIn(reply.code, ("query.invalid", "query.field", "request.malformed"))
        self.assertEqual(self.send("GET", f"{LIST}?search=%25'%3B%20DROP%20TABLE%20executions--").status, 200)

    def test_changes_of_what_was_not_seen(self) -> None:
        made = self.send("POST", CREATE, document(step("a")))
        path = f"/api/workflows/{made.json['id']}/"
        self.expect(428, "precondition.required", "PUT", path, document(step("b")))
        self.expect(412, "precondition.failed", "PUT", path, document(step("b")), {"If-Match": '"999"'})
        for tag in ("x", "W/", '"', "*" * 3000, "é"):
            with self.subTest(tag[:10]):
                self.assertIn(self.send("PUT", path, document(step("b")), {"If-Match": tag.encode().decode("latin-1")}).status, (400, 412, 428))
        self.expect(400, "header.invalid", "POST", f"{path}publish/", {}, {"Idempotency-Key": ""})
        self.expect(400, "header.invalid", "POST", f"{path}publish/", {}, {"Idempotency-Key": "k" * 256})

    # B50 to B58: documents

    def check_document(self, body: dict, *codes: str) -> list[dict]:
        found = self.send("POST", VALIDATE, body)
        self.assertEqual(found.status, 200, found.body[:300])
        issues = found.json["errors"] if "errors" in found.json else found.json["issues"]
        self.assertLessEqual(set(codes), {issue["code"] for issue in issues}, issues)
        refused = self.send("POST", CREATE, body)
        self.assertEqual(refused.status, 422, "what is wrong is not saved")
        return issues

    def test_documents_that_can_not_run(self) -> None:
        rows = [("B50", document(step("a", depends_on=["b"]), step("b", depends_on=["a"])), "workflow.cycle"), ("B50", document(step("a", depends_on=["a"])), "workflow.cycle"),
                ("B50", document(step("a", depends_on=["x"])), "workflow.edge"), ("B50", document(step("a"), step("a")), "workflow.duplicate_id"),
                ("B53", document(step("a", "teleport")), "step.type"), ("B53", document(step("a", "set", {"values": 1, "valuse": 2})), "field.unknown"), ("B53", document(step("a"), stepz=[]), "field.unknown"),
                ("B55", document(step("a", retry_config={"max_attempts": 10**9})), "field.range"), ("B55", document(step("a", retry_config={"initial_delay_seconds": -1})), "field.range"),
                ("B55", document(step("a", retry_config={"backoff": 0})), "field.range"), ("B55", document(step("a", timeout_seconds=0)), "field.range"), ("B55", document(step("a", timeout_seconds=10**12)), "field.range"),
                ("B15", document(step("a", retry_config="often")), "field.type"), ("B15", {"name": 1, "steps": {}}, "field.type"), ("B15", {}, "field.missing"), ("B15", document(step("A b")), "step.id"),
                ("B58", document(step("a", "set", {"values": "{{ 1 + }}"})), "expr.syntax"), ("B64", document(step("a", "set", {"values": "{{ 1"})), "expr.syntax"),
                ("B58", document(step("a", "set", {"values": "{{ steps.zzz.output }}"})), "expr.reference")]
        for row, body, code in rows:
            with self.subTest(row=row, code=code, body=str(body)[:80]):
                self.check_document(body, code)
        problem = self.send("POST", CREATE, document(*(step(f"s{n}", "nope") for n in range(60)))).json
        self.assertEqual(len(problem["errors"]), 50)

    def test_documents_that_are_too_large(self) -> None:
        huge = document(*(step(f"s{n}") for n in range(10_001)))
        for body in (huge, document(step("a", "set", {"values": "x" * (6 << 20)}))):
            reply = self.send("POST", CREATE, body)
            self.assertIn(reply.status, (413, 422))
            self.assertLessEqual({issue["code"] for issue in reply.json.get("errors", [])} or {reply.code}, {"workflow.too_large", "json.too_large", "body.too_large"})
        self.assertEqual(self.send("POST", CREATE, document(step("a"), name="n" * 300_000)).status, 422)

    def test_imports_that_are_bombs(self) -> None:
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
        rows = [(bomb, {400, 413, 422}), ("a: &a [*a]", {400, 413, 422}), ("[" * 20_000, {400, 413, 422}), ("!!python/object/apply:os.system ['id']", {400, 422}), ("name: x\n---\nname: y", {400, 422}),
                ("\x00", {400, 422}), ("", {400, 422}), ("name: [", {400}), ("? {a: b}\n: c", {400, 422})]
        before = self.client.get(f"{CREATE}?limit=1").json["count"]
        for text, statuses in rows:
            with self.subTest(text[:30]):
                reply = self.send("POST", "/api/workflows/import/", text.encode(), {"Content-Type": "application/yaml"})
                self.assertIn(reply.status, statuses, reply.body[:200])
        for archive in (b"PK\x03\x04" + os.urandom(200), b"\x1f\x8b" + os.urandom(200)):
            for kind in ("application/zip", "application/yaml"):
                self.assertIn(self.send("POST", "/api/workflows/import/", archive, {"Content-Type": kind}).status, (400, 415, 422))
        self.assertEqual(self.client.get(f"{CREATE}?limit=1").json["count"], before, "something was written")

    def test_workflows_that_start_themselves_end(self) -> None:
        name = f"Loop {uuid.uuid4().hex}"
        loop = self.create(document(step("again", "workflow", {"workflow": name}), **{}) | {"name": name})
        ended = self.run_workflow(loop, wait=60)
        self.assertEqual(ended["status"], "failed", ended)
        errors, execution = [], ended
        while execution:
            errors.append(execution["error"]["details"]["error"]["code"])
            born = self.client.get(f"{LIST}?parent={execution['id']}").json["results"]
            execution = self.client.get(f"{LIST}{born[0]['id']}/").json if born else None
        self.assertEqual(errors[-1], "run.depth_exceeded", errors)

    # B60 to B65: expressions

    def preview(self, template, **data):
        reply = self.send("POST", PREVIEW, {"template": template, **({"data": data} if data else {})})
        self.assertEqual(reply.status, 200, reply.body[:300])
        return reply.json

    def test_expressions_that_attack(self) -> None:
        rows = [("B60", "{{ (() => { while (1); })() }}", ("expr.timeout",)), ("B60", "{{ /(a+)+$/.test('a'.repeat(40) + 'b') }}", ("expr.timeout", None)), ("B60", "{{ (function f() { return f() + 1 })() }}", ("expr.stack", "expr.memory")),
                ("B60", "{{ Array(1e9).fill(0) }}", ("expr.memory", "expr.timeout")), ("B60", "{{ 'x'.repeat(1 << 29).split('') }}", ("expr.memory", "expr.timeout")),
                ("B61", "{{ ({}).constructor.constructor('return 1')() }}", ("expr.forbidden", "expr.failed")), ("B61", "{{ eval('1') }}", ("expr.forbidden", "expr.undefined", "expr.failed")),
                ("B61", "{{ new Function('return 1')() }}", ("expr.forbidden", "expr.undefined", "expr.failed")), ("B61", "{{ import('fs') }}", ("expr.forbidden", "expr.failed", "expr.syntax", "expr.result")),
                ("B61", "{{ (async () => 1)() }}", ("expr.forbidden", "expr.result")), ("B61", "{{ ({}).\\u0063onstructor.constructor('return 1')() }}", ("expr.forbidden", "expr.failed")),
                ("B61", "{{ Function`return 1`() }}", ("expr.forbidden", "expr.undefined", "expr.failed"))]
        for row, template, codes in rows:
            with self.subTest(row=row, template=template):
                told = self.preview(template)
                self.assertIn(told["error"] and told["error"]["code"], codes, told)
        for name in ("SharedArrayBuffer", "Atomics", "WebAssembly", "Worker", "require", "process", "XMLHttpRequest", "fetch", "setTimeout", "print", "load", "os"):
            with self.subTest(name):
                self.assertEqual(self.preview(f"{{{{ typeof {name} }}}}").get("value"), "undefined")

    def test_data_is_data(self) -> None:
        self.assertEqual(self.preview("{{ input.x }}", input={"x": "{{ 1 + 1 }}"})["value"], "{{ 1 + 1 }}")
        self.assertEqual(self.preview("{{ input.x + '' }} and {{ input.x }}", input={"x": "{{ 1 + 1 }}"})["value"], "{{ 1 + 1 }} and {{ 1 + 1 }}")
        for template in ("{{ {{ 1 }} }}", "{{ 1", "{{ }", "{{}}"):
            with self.subTest(template):
                self.assertEqual(self.preview(template)["error"]["code"], "expr.syntax")

    def test_an_expression_leaves_no_trace(self) -> None:
        for poison in ("Object.prototype.polluted = 1", "Array.prototype.map = () => 7", "globalThis.leak = 1", "input.n = 9", "JSON.stringify = () => '8'", "Object.defineProperty(Object.prototype, 'toJSON', {value: () => 6})"):
            with self.subTest(poison):
                self.preview(f"{{{{ ({poison}, 1) }}}}", input={"n": 1})
                self.assertEqual(self.preview("{{ [typeof ({}).polluted, [1].map(x => x + 1), typeof leak, input.n, JSON.stringify([1])] }}", input={"n": 1})["value"],
                                 ["undefined", [2], "undefined", 1, "[1]"])

    # B80 to B83: WebSockets

    def test_websockets_that_are_refused_before_the_upgrade(self) -> None:
        for path, headers, status in ((f"/ws/executions/", {"Origin": "https://evil.example"}, 403), ("/ws/executions/", {"Origin": "null"}, 403), ("/ws/executions/?token=x", {}, 400), ("/ws/nope/", {}, 404),
                                      ("/ws/executions/", {"Host": "x"}, 400), (f"/ws/executions/{NOBODY}/?after=-1", {}, 400)):
            with self.subTest(path=path, headers=headers):
                peer = WebSocket(self.server.port, path, headers)
                self.addCleanup(peer.close)
                self.assertEqual(peer.status, status)
        (reply,) = exchange(self.server.port, request("GET", "/ws/executions/", headers={"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "8"}))
        self.assertEqual((reply.status, reply.code), (426, "request.upgrade"))

    def test_websocket_frames_that_are_wrong(self) -> None:
        def raw(first: int, payload: bytes, masked: bool = True):
            head = bytes([first, (0x80 if masked else 0) | len(payload)])
            return lambda s: s.socket.sendall(head + (b"\0\0\0\0" if masked else b"") + payload)
        rows = [("B81", lambda s: s.send(b"x" * 70_000), 1009), ("B81", lambda s: s.send(b"\xc3\x28"), 1007), ("B81", lambda s: s.send(b"\0", opcode=2), 1003), ("B81", raw(0xC1, b"x"), 1002), ("B81", raw(0x83, b"x"), 1002),
                ("B81", raw(0x81, b"x", masked=False), 1002), ("B81", raw(0x80, b"x"), 1002), ("B81", lambda s: s.socket.sendall(b"\x81\xff" + struct.pack(">Q", 1 << 62) + b"\0\0\0\0"), 1009),
                ("B81", lambda s: [s.send(b"x", opcode=1 if n == 0 else 0, fin=False) for n in range(70_000)], 1009), ("B81", lambda s: [s.send(b"", opcode=9) for _ in range(3000)], 1008)]
        for index, (row, send, code) in enumerate(rows):
            with self.subTest(row=row, index=index):
                peer = WebSocket(self.server.port, "/ws/executions/")
                self.addCleanup(peer.close)
                peer.read()
                try:
                    send(peer)
                except OSError:
                    pass
                try:
                    while peer.read() is not None:
                        pass
                    self.assertIn(peer.close_code, (code, 1008) if index == 8 else (code,))
                except ConnectionResetError:
                    pass  # it had closed while we still sent; the code was lost on the way
        for text in (b"{", b'{"op":"fly"}', b"[]", b'"x"'):  # B82: nothing is asked over this socket, so nothing is understood
            peer = WebSocket(self.server.port, "/ws/executions/")
            self.addCleanup(peer.close)
            peer.read()
            peer.send(text)
            peer.send(b"", opcode=9)
            self.assertEqual(self.client.get("/healthz").status, 200)


class MutationTest(ServerTest):
    """Requests that were right once, with something changed."""

    VALUES = [None, True, False, 0, -1, 1, 2**31, 2**63, -2**63, 1e308, 0.5, "", "x", "x" * 70_000, "\u0000", "😀", "{{ 1 + }}", "{{ input }}", "../../etc/passwd", "'; DROP TABLE executions; --", "%s%n", [], {}, [[]],
              {"": ""}, {"__proto__": 1}, NOBODY, "2026-13-99T99:99:99Z", "NaN"]

    def setUp(self) -> None:
        super().setUp()
        self.workflow = self.create(document(step("a", "set", {"values": {"n": 1}}), step("w", "wait_signal", {"name": "go"}, depends_on=["a"])))["id"]
        self.execution = self.run_workflow({"id": self.workflow}, wait=0)["id"]
        self.worker = Worker(self.server, functions=["mutated.echo"])
        self.addCleanup(self.worker.close)

    def operations(self):
        for path, item in OPENAPI["paths"].items():
            for method, operation in item.items():
                if method in ("get", "post", "put", "delete"):
                    yield method.upper(), path, item.get("parameters", []) + operation.get("parameters", []), operation

    def target(self, path: str, operation: dict) -> str:
        if path.startswith("/api/workers/{id}"):
            self.worker.post("/api/workers/", self.worker.registration)  # a mutated request may have removed it
        about = self.workflow if path.startswith("/api/workflows/") else self.worker.id if path.startswith("/api/workers/") else self.execution
        return (path.replace("{id}", about).replace("{number}", "1").replace("{task}", "a").replace("{name}", "go").replace("{type}", "noop").replace("{job}", NOBODY).replace("{file}", "docs.js").replace("{lease}", "0f3c-1"))

    def body(self, operation: dict):
        if "requestBody" not in operation:
            return None, None
        content = CONTRACT.find(operation["requestBody"])["content"]
        kind = next(iter(content))
        examples = [example["value"] for example in content[kind].get("examples", {}).values()]
        return kind, examples[-1] if examples else content[kind].get("example", {})

    def mutate_value(self, dice: random.Random, value):
        if isinstance(value, dict) and value and dice.random() < 0.8:
            out, key = dict(value), dice.choice(list(value))
            how = dice.randrange(4)
            if how == 0:
                del out[key]
            elif how == 1:
                out[dice.choice(["x", "", "__proto__", key * 2, "é"])] = out[key]
            else:
                out[key] = self.mutate_value(dice, out[key])
            return out
        if isinstance(value, list) and value and dice.random() < 0.8:
            out, at = list(value), dice.randrange(len(value))
            out[at] = self.mutate_value(dice, out[at])
            return out * dice.choice([1, 1, 1, 50])
        return dice.choice(self.VALUES)

    def mutate_bytes(self, dice: random.Random, data: bytes) -> bytes:
        how = dice.randrange(6)
        at = dice.randrange(len(data) + 1)
        if how == 0:
            return data[:at]
        if how == 1:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1:]
        if how == 2:
            return data[:at] + dice.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0", b"1e999", b"[" * 200, b"{", b"}", b",", b'"']) + data[at:]
        if how == 3:
            return b"[" * dice.choice([10, 100, 10_000]) + data
        if how == 4:
            return data + data
        return b""

    def mutate(self, dice: random.Random, method: str, path: str, parameters: list, operation: dict):
        target = self.target(path, operation)
        kind, example = self.body(operation)
        headers = {"Content-Type": kind} if kind else {}
        if method == "PUT":
            headers["If-Match"] = '"1"'
        if path.startswith(("/api/workers/", "/api/leases/")):
            headers["Authorization"] = f"Bearer {self.worker.token}"
        data = b"" if kind is None else example.encode() if isinstance(example, str) else json.dumps(example).encode()
        for _ in range(dice.choice([1, 1, 2, 3])):
            how = dice.randrange(8)
            if how <= 1 and kind and not isinstance(example, str):
                example = self.mutate_value(dice, example)
                data = json.dumps(example).encode()
            elif how == 2 and kind:
                data = self.mutate_bytes(dice, data)
            elif how == 3:
                parts = target.split("/")
                parts[dice.randrange(len(parts))] = urllib.parse.quote(dice.choice(["x", "..", ".", "", "é", "%", "\0", "a" * 3000, NOBODY, "1", "go", "-1", "🙂", "a;b", "a b", "*"]), safe=dice.choice(["", "%;*"]))
                target = "/".join(parts) or "/"
            elif how in (4, 5):
                names = [CONTRACT.find(p)["name"] for p in parameters if CONTRACT.find(p)["in"] == "query"] + ["x", "limit", "cursor"]
                value = urllib.parse.quote(str(dice.choice([*self.VALUES[:13], *self.VALUES[14:], "9" * 40, "a" * 500, "draft", "true", "1,2"])), safe="")
                target += ("&" if "?" in target else "?") + dice.choice(names) + dice.choice(["=", "==", ""]) + dice.choice([value, "%ff", "%", value])
            elif how == 6:
                name, value = dice.choice([("Content-Type", "text/plain"), ("Content-Type", ""), ("If-Match", "*"), ("If-Match", '"' + "9" * 30 + '"'), ("Idempotency-Key", ""), ("Idempotency-Key", "k" * 300), ("Idempotency-Key", "a\tb"),
                                           ("Accept", "x" * 500), ("Accept-Encoding", "gzip;q=banana"), ("Range", "bytes=9-1"), ("X-Request-Id", "\x7f" * 10), ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"),
                                           ("Cookie", "a=" + "b" * 2000), ("Content-Encoding", "gzip"), ("Content-Encoding", "br"), ("Expect", "200-ok"), ("Upgrade", "h2c"), ("Authorization", "Bearer x"), ("X-é", "é")])
                headers[name] = value
            else:
                method = dice.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", method])
        return method, target, headers, data

    def test_every_route_answers_what_it_does_not_understand(self) -> None:
        counts: dict[int, int] = {}
        for number, (method, path, parameters, operation) in enumerate(self.operations()):
            dice = random.Random(SEED * 1000 + number)
            with self.subTest(f"{method} {path}"):
                for _ in range(TIMES):
                    sent = self.mutate(dice, method, path, parameters, operation)
                    status = self.check_one(*sent)
                    counts[status] = counts.get(status, 0) + 1
        self.assertEqual(self.client.get("/healthz").status, 200)
        errors = [line for line in self.server.drain_log().splitlines() if '"level":"error"' in line]
        self.assertEqual(errors, [])
        self.assertGreater(sum(n for status, n in counts.items() if status >= 400), sum(counts.values()) // 4, f"too little was wrong: {counts}")
        print(f"seed {SEED}: {sum(counts.values())} requests, by status {dict(sorted(counts.items()))}", flush=True)

    def check_one(self, method: str, target: str, headers: dict, data: bytes) -> int:
        wire = request(method, target, data, {**headers, "Connection": "close"})
        try:
            replies = exchange(self.server.port, wire, timeout=20)
        except TimeoutError:
            self.fail(f"no answer to {wire[:500]!r}")
        self.assertGreaterEqual(len(replies), 1, f"closed without an answer: {wire[:500]!r}")
        reply = replies[0]
        self.assertLess(reply.status, 500, f"{wire[:700]!r}\n{reply.body[:500]!r}")
        if method == "HEAD":
            return reply.status
        if reply.status >= 400:
            self.assertEqual(reply.headers["Content-Type"].split(";")[0], "application/problem+json", wire[:500])
            try:
                reply.body.decode("utf-8")
            except UnicodeDecodeError:
                self.fail(f"{reply.body!r} is not UTF-8, after {wire[:700]!r}")
            CONTRACT.check_schema("problem", {"$ref": "#/components/schemas/Problem"}, reply, f"{method} {target[:200]}")
            for leak in (b"/tmp/", b"SELECT ", b"sqlite", b"std::", b"0x"):
                if leak not in wire:
                    self.assertNotIn(leak, reply.body, wire[:300])
        return reply.status


if __name__ == "__main__":
    unittest.main(verbosity=2)
