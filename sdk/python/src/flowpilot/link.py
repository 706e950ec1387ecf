"""One kept-alive HTTP/1.1 connection to the server, with as little between the JSON and the socket as that takes.

http.client costs several times as much a request, and a worker makes one a task.
"""
from __future__ import annotations

import json
import socket
import ssl
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

_MOST_HEAD = 64 << 10
_MOST_BODY = 64 << 20
_JSON = b"Content-Type: application/json\r\n"


class Unreachable(OSError):
    """No answer: nobody listens, the connection broke, or it took too long."""


class ApiError(Exception):
    """An answer with status 400 or above: `status`, `code` (docs/reference/errors.md), `problem` (RFC 9457), `issues` ({pointer, code, message})."""

    def __init__(self, status: int, problem: Dict[str, Any]) -> None:
        self.issues: List[Dict[str, Any]] = problem.get("errors") or []
        places = "".join(f"\n  {issue.get('pointer')}: {issue.get('message')}" for issue in self.issues)
        super().__init__((problem.get("detail") or problem.get("title") or f"the server answered {status}") + places)
        self.status = status
        self.code: str = str(problem.get("code", ""))
        self.problem = problem


class Link:
    """Not thread-safe: one thread at a time."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server; write it like http://127.0.0.1:8080")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._secure else 80)
        name = f"[{self._host}]" if ":" in self._host else self._host
        self._prefix = parts.path.rstrip("/")
        sign_in = f"Authorization: Bearer {token}\r\n" if token else ""
        self._tail = (f" HTTP/1.1\r\nHost: {name}:{self._port}\r\n{sign_in}"
                      "Accept-Encoding: identity\r\nContent-Length: ").encode("ascii")
        self._socket: Optional[socket.socket] = None
        self._buffer = b""

    def close(self) -> None:
        """Also from another thread: whoever reads then hears Unreachable."""
        stream, self._socket, self._buffer = self._socket, None, b""
        if stream is None:
            return
        try:
            stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        stream.close()

    def call(self, method: str, path: str, body: bytes = b"{}", timeout: float = 60.0, headers: bytes = _JSON) -> Any:
        """The answer's JSON (None without one). `headers`: further lines, each with its CRLF. Raises Unreachable, ApiError. A connection
        that was kept and has been closed meanwhile is opened again once: the server closes idle ones, and every call here may be
        repeated."""
        kept = self._socket is not None
        try:
            return self._call(method, path, body, timeout, headers)
        except Unreachable:
            if not kept:
                raise
        return self._call(method, path, body, timeout, headers)

    def _call(self, method: str, path: str, body: bytes, timeout: float, headers: bytes) -> Any:
        try:
            if self._socket is None:
                self._open(timeout)
            stream = self._socket
            if stream is None:
                raise Unreachable("closed")
            stream.settimeout(timeout)
            stream.sendall(b"%s %s%s%s%d\r\n%s\r\n%s" % (method.encode(), self._prefix.encode(), path.encode(), self._tail, len(body), headers, body))
            status, answer = self._read(stream)
        except Unreachable:
            self.close()
            raise
        except (OSError, ValueError) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error
        if status < 400:
            return json.loads(answer) if answer else None
        try:
            problem = json.loads(answer)
        except ValueError:
            problem = {}
        raise ApiError(status, problem if isinstance(problem, dict) else {})

    def _open(self, timeout: float) -> None:
        stream = socket.create_connection((self._host, self._port), timeout=min(timeout, 10.0))
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._secure:
            stream = ssl.create_default_context().wrap_socket(stream, server_hostname=self._host)
        self._socket, self._buffer = stream, b""

    def _fill(self, stream: socket.socket) -> None:
        more = stream.recv(1 << 17)
        if not more:
            raise Unreachable("the server closed the connection")
        self._buffer += more

    def _read(self, stream: socket.socket) -> Tuple[int, bytes]:
        end = -1
        while end < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _MOST_HEAD:
                    raise Unreachable("not an answer of a FlowPilot server")
                self._fill(stream)
        head, self._buffer = self._buffer[:end], self._buffer[end + 4:]
        if not head.startswith(b"HTTP/1.1 "):
            raise Unreachable("not an answer of a FlowPilot server")
        status = int(head[9:12])
        lower = head.lower()
        at = lower.find(b"\r\ncontent-length:")
        if at < 0:
            if b"transfer-encoding: chunked" in lower:
                return status, self._read_chunks(stream)
            return status, b""
        size = int(head[at + 17:].split(b"\r\n", 1)[0])
        body = self._take(stream, size)
        if b"\r\nconnection: close" in lower:
            self.close()
        return status, body

    def _take(self, stream: socket.socket, size: int) -> bytes:
        if size > _MOST_BODY:
            raise Unreachable("the answer is beyond 64 MiB")
        while len(self._buffer) < size:
            self._fill(stream)
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return body

    def _read_chunks(self, stream: socket.socket) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._buffer:
                self._fill(stream)
            line, self._buffer = self._buffer.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            chunk = self._take(stream, size + 2)[:-2]
            if size == 0:
                return body
            body += chunk
            if len(body) > _MOST_BODY:
                raise Unreachable("the answer is beyond 64 MiB")
