"""What the end-to-end tests share: a server of their own, a client that checks every answer against contract/openapi.yaml, and a
WebSocket client. Standard library, python3-yaml and python3-jsonschema only."""
import base64
import hashlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = os.environ["FLOWPILOT_BIN"]
OPENAPI = yaml.safe_load((ROOT / "contract/openapi.yaml").read_text(encoding="utf-8"))


class Contract:
    """contract/openapi.yaml as a judge of answers."""

    def __init__(self) -> None:
        self.routes = []
        for path, item in OPENAPI["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path.rstrip("/"))) + "/?$")
            literal = path.count("{") == 0
            self.routes.append((not literal, path, pattern, item))
        self.routes.sort(key=lambda row: row[0])
        self.validators: dict[str, jsonschema.Draft202012Validator] = {}

    def find(self, node: dict) -> dict:
        while "$ref" in node:
            target = OPENAPI
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def check(self, method: str, path: str, reply: "Reply") -> None:
        path = path.split("?")[0]
        for _, name, pattern, item in self.routes:
            if pattern.match(path) and method.lower() in item:
                return self.check_operation(item[method.lower()], f"{method} {name}", reply)
        if reply.status < 400:
            raise AssertionError(f"{method} {path} is not in contract/openapi.yaml and answered {reply.status}")
        self.check_schema("problem", {"$ref": "#/components/schemas/Problem"}, reply, f"{method} {path}")

    def check_operation(self, operation: dict, label: str, reply: "Reply") -> None:
        responses = operation["responses"]
        response = responses.get(str(reply.status))
        if response is None:
            if reply.status == 304 or reply.headers.get("FlowPilot-Execution"):
                return
            if reply.status < 400:
                raise AssertionError(f"{label} answered {reply.status}, which contract/openapi.yaml does not name")
            response = responses["default"]
        content = self.find(response).get("content", {})
        kind = (reply.headers.get("Content-Type") or "").split(";")[0]
        if not content:
            return
        if kind not in content:
            if reply.headers.get("FlowPilot-Execution"):
                return
            raise AssertionError(f"{label} answered {kind}, not one of {list(content)}: {reply.body[:300]!r}")
        if "json" in kind:
            self.check_schema(f"{label} {reply.status} {kind}", content[kind]["schema"], reply, label)

    def check_schema(self, key: str, schema: dict, reply: "Reply", label: str) -> None:
        if key not in self.validators:
            whole = {**schema, "components": OPENAPI["components"]}
            self.validators[key] = jsonschema.Draft202012Validator(whole)
        error = next(self.validators[key].iter_errors(reply.json), None)
        if error is not None:
            raise AssertionError(f"{label} {reply.status}: /{'/'.join(map(str, error.absolute_path))}: {error.message[:500]}")


CONTRACT = Contract()


class Reply:
    def __init__(self, status: int, headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("code")


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int, timeout: float = 60) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def call(self, method: str, path: str, body=None, headers=None, check: bool = True) -> Reply:
        headers = dict(headers or {})
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        self.connection.request(method, path, body=data, headers=headers)
        answer = self.connection.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read())
        if check and method != "HEAD":
            CONTRACT.check(method, path, reply)
        return reply

    def get(self, path: str, **options) -> Reply:
        return self.call("GET", path, **options)

    def post(self, path: str, body=None, **options) -> Reply:
        return self.call("POST", path, {} if body is None else body, **options)

    def close(self) -> None:
        self.connection.close()


class WebSocket:
    """RFC 6455, the client's side, as far as tests need it."""

    def __init__(self, port: int, path: str, headers=None, timeout: float = 30) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                break
            self.buffer += more
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.status = int(head.split(b" ", 2)[1]) if head else 0
        self.close_code = None
        if self.status == 101:
            wanted = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            assert wanted in head, head

    def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            more = self.socket.recv(1 << 16)
            if not more:
                raise ConnectionError("the server closed the connection")
            self.buffer += more
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def read(self):
        """The next JSON message; None once the server has closed."""
        while True:
            first, second = self.take(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self.take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.take(8))[0]
            payload = self.take(size)
            opcode = first & 0x0F
            if opcode == 1:
                return json.loads(payload)
            if opcode == 8:
                self.close_code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                return None
            if opcode == 9:
                self.send(payload, opcode=10)

    def send(self, payload: bytes, opcode: int = 1, fin: bool = True) -> None:
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([(0x80 if fin else 0) | opcode])
        head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack(">H", size) if size < 65536 else bytes([0x80 | 127]) + struct.pack(">Q", size)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload)) if size < 200_000 else payload
        self.socket.sendall(head + (mask if size < 200_000 else b"\0\0\0\0") + masked)

    def close(self) -> None:
        self.socket.close()


class Server:
    """`flowpilot serve` on a free port."""

    def __init__(self, data: Path, *arguments: str, env=None, wrap=()) -> None:
        self.data = data
        self.log = open(data.parent / f"{data.name}.log", "ab")
        self.process = subprocess.Popen([*wrap, BIN, "serve", "--port", "0", "--data-dir", str(data), *arguments], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.port = 0
        self.lines: list[str] = []
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for line in self.process.stderr:
            self.log.write(line)
            self.lines.append(line.decode(errors="replace"))
            if b'"message":"ready"' in line:
                self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])
                break
        if not self.port:
            self.process.wait(30)
            raise RuntimeError(f"the server ended with {self.process.returncode}: {''.join(self.lines)}")
        # Whoever fills the pipe must not stop the server.
        os.set_blocking(self.process.stderr.fileno(), False)

    def drain_log(self) -> str:
        text = b""
        while select.select([self.process.stderr], [], [], 0)[0]:
            more = self.process.stderr.read()
            if not more:
                break
            text += more
        self.log.write(text)
        return text.decode(errors="replace")

    def client(self, **options) -> Client:
        return Client(self.port, **options)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        if self.process.stderr.closed:
            return self.process.returncode
        os.set_blocking(self.process.stderr.fileno(), True)
        rest = self.process.stderr.read()
        self.lines.append(rest.decode(errors="replace"))
        self.process.wait(60)
        self.process.stderr.close()
        self.log.close()
        return self.process.returncode


class ServerTest(unittest.TestCase):
    """One server for the class, with a data directory of its own."""

    arguments: tuple = ("--allow-address", "127.0.0.1")

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="flowpilot-e2e-"))
        cls.server = Server(cls.folder / "data", *cls.arguments)

    @classmethod
    def tearDownClass(cls) -> None:
        code = cls.server.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)
        assert code == 0, f"the server ended with {code}: {''.join(cls.server.lines)[-3000:]}"

    def setUp(self) -> None:
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def create(self, document: dict, publish: bool = True) -> dict:
        made = self.client.post("/api/workflows/", document)
        self.assertEqual(made.status, 201, made.body)
        if not publish:
            return made.json
        published = self.client.post(f"/api/workflows/{made.json['id']}/publish/")
        self.assertEqual(published.status, 200, published.body)
        return published.json

    def run_workflow(self, workflow: dict, input=None, wait: float = 30, **body) -> dict:
        reply = self.client.post(f"/api/workflows/{workflow['id']}/run/", {"input": input or {}, "wait_seconds": wait, **body})
        self.assertIn(reply.status, (200, 202), reply.body)
        return reply.json

    def wait_for(self, execution: dict, *statuses: str) -> dict:
        """Follows the execution's own feed until it has one of these statuses."""
        feed = WebSocket(self.server.port, f"/ws/executions/{execution['id']}/")
        try:
            while True:
                message = feed.read()
                self.assertIsNotNone(message, f"the feed closed with {feed.close_code}")
                if message["type"] in ("snapshot", "execution_update") and message["status"] in statuses:
                    return self.client.get(f"/api/executions/{execution['id']}/").json
        finally:
            feed.close()


def step(id: str, step_type: str = "noop", config=None, **more) -> dict:
    return {"id": id, "step_type": step_type, **({"config": config} if config is not None else {}), **more}
