#!/usr/bin/env python3
"""Stand-ins for the services that the example workflows talk to: a mail server, a CRM and a Slack webhook, on loopback.

  python3 examples/demo_services.py                       # ports are chosen and printed as one JSON line when ready
  python3 examples/demo_services.py --http-port 8025 --smtp-port 1025 --sink received.jsonl
  python3 examples/demo_services.py --run-onboarding build/release/flowpilot
  python3 examples/demo_services.py --serve build/release/flowpilot -- --port 8080

Every request and mail is appended to the sink as one JSON line and forced to disk before it is answered, with its
idempotency key or Message-ID, so that tests can count effects. The peers are idempotent: a repeated key gets the same
answer and is recorded with "duplicate": true.

  POST /crm/contacts, GET|PUT /crm/contacts/ID, GET /crm/contacts?email=...   POST /slack   GET /received
  /echo    what was sent                /status/CODE    that status        /slow/SECONDS/...   answers late
  /hang    never answers                /fail/N/...     fails the first N requests of that path with 503, then echoes
  POST /control {"path": "/crm", "times": 2, "status": 429, "retry_after": 1}   the next requests below the path fail;
                also "hang": true, "slow": SECONDS, "close": true, or "smtp": "451 try later"; {"reset": true} forgets all
"""
import argparse
import base64
import email
import email.policy
import hashlib
import json
import os
import shlex
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MOST_BODY = 64 << 20
FUNCTIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "functions")


class Sink:
    """The record of everything received: in memory, and in a file that is forced to disk line by line."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.records = []
        self.seen = set()
        self.file = open(path, "ab", buffering=0) if path else None
        if path:
            self._remember(path)

    def _remember(self, path):
        """A sink that is used again still knows its keys."""
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                self.seen.add((record["kind"], record["key"]))

    def close(self):
        with self.lock:
            if self.file:
                self.file.close()
                self.file = None

    def add(self, kind, key, payload, **fields):
        with self.lock:
            duplicate = key is not None and (kind, key) in self.seen
            self.seen.add((kind, key))
            record = {"kind": kind, "key": key, "duplicate": duplicate, "at": round(time.time(), 3),
                      "sha256": hashlib.sha256(payload).hexdigest(), "bytes": len(payload), **fields}
            self.records.append(record)
            self.changed.notify_all()
            if self.file:
                self.file.write((json.dumps(record) + "\n").encode())
                os.fsync(self.file.fileno())
            return record


class World:
    """What the services know: contacts, planned failures, answers given before. Guarded by one lock."""

    def __init__(self, sink):
        self.sink = sink
        self.lock = threading.Lock()
        self.contacts = {}
        self.answers = {}
        self.plans = []
        self.failures = {}
        self.stopping = threading.Event()

    def control(self, order):
        with self.lock:
            if order.get("reset"):
                self.plans.clear()
                self.failures.clear()
            else:
                self.plans.append({"times": 1, **order})
        return 200, {"ok": True}

    def take_plan(self, kind, path=""):
        """The next planned misbehaviour for this path ("http") or for a mail ("smtp")."""
        with self.lock:
            for plan in self.plans:
                fits = "smtp" in plan if kind == "smtp" else "smtp" not in plan and path.startswith(plan.get("path", "/"))
                if fits and plan["times"] > 0:
                    plan["times"] -= 1
                    return plan
        return None

    def count_failure(self, path, most):
        with self.lock:
            self.failures[path] = self.failures.get(path, 0) + 1
            return self.failures[path] <= most

    def once(self, key, make):
        """The answer to a request; the same again for a key that was answered before."""
        with self.lock:
            if key is not None and key in self.answers:
                return self.answers[key]
            answer = make()
            if key is not None:
                self.answers[key] = answer
            return answer

    def create_contact(self, data):
        if not isinstance(data, dict) or not data.get("email"):
            return 422, {"error": "email is missing"}
        number = str(1001 + len(self.contacts))
        # The score is made from the address, so that every run gives the same one.
        score = data.get("score", 60 + int(hashlib.sha256(data["email"].encode()).hexdigest(), 16) % 41)
        contact = {"id": number, **data, "score": score}
        self.contacts[number] = contact
        return 201, contact

    def read_contact(self, number):
        contact = self.contacts.get(number)
        return (200, contact) if contact else (404, {"error": "no such contact"})

    def update_contact(self, number, data):
        contact = self.contacts.get(number)
        if not contact:
            return 404, {"error": "no such contact"}
        contact.update(data)
        return 200, contact

    def find_contacts(self, query):
        fits = lambda contact: all(str(contact.get(name)) in values for name, values in query.items())
        return 200, {"results": [contact for contact in self.contacts.values() if fits(contact)]}

    def delete_contact(self, number):
        return (200, {"deleted": number}) if self.contacts.pop(number, None) else (404, {"error": "no such contact"})


class HttpPeer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, *_):
        pass

    def handle_any(self):
        url = urlsplit(self.path)
        body = self.read_body()
        if url.path == "/control":
            return self.reply(*self.server.world.control(json.loads(body)))
        if url.path == "/received":
            return self.reply(200, {"records": self.server.world.sink.records})
        key = self.headers.get("Idempotency-Key")
        plan = self.server.world.take_plan("http", url.path)
        if plan and not self.misbehave(plan):
            self.record(url, body, key, effect=False)
            return None
        if plan and "status" in plan:
            self.record(url, body, key, effect=False)
            headers = {"Retry-After": str(plan["retry_after"])} if "retry_after" in plan else {}
            return self.reply(plan["status"], {"error": "planned failure"}, headers)
        return self.serve(url, body, key)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any

    def misbehave(self, plan):
        """False when the request gets no answer."""
        world = self.server.world
        if "slow" in plan:
            world.stopping.wait(plan["slow"])
        if plan.get("hang"):
            world.stopping.wait()
        if plan.get("hang") or plan.get("close"):
            self.close_connection = True
            return False
        return True

    def serve(self, url, body, key):
        world = self.server.world
        parts = url.path.strip("/").split("/")
        first = parts[0]
        if first == "slow":
            world.stopping.wait(float(parts[1]))
        if first == "hang":
            world.stopping.wait()
            self.close_connection = True
            return None
        if first == "fail" and world.count_failure(url.path, int(parts[1])):
            self.record(url, body, key, effect=False)
            return self.reply(503, {"error": "not yet"})
        if first == "status":
            self.record(url, body, key, effect=False)
            return self.reply(int(parts[1]), {"status": int(parts[1])})
        self.record(url, body, key, effect=True)
        data = self.parse(body)
        status, answer = world.once((self.command, url.path, key) if key else None, lambda: self.answer(url, parts, data))
        return self.reply(status, answer)

    def answer(self, url, parts, data):
        world = self.server.world
        query = parse_qs(url.query)
        if parts[:2] == ["crm", "contacts"]:
            if self.command == "POST":
                return world.create_contact(data)
            if self.command == "GET" and len(parts) == 2:
                return world.find_contacts(query)
            if len(parts) == 3:
                calls = {"GET": lambda: world.read_contact(parts[2]), "PUT": lambda: world.update_contact(parts[2], data),
                         "DELETE": lambda: world.delete_contact(parts[2])}
                if self.command in calls:
                    return calls[self.command]()
            return 405, {"error": "method not allowed"}
        if parts == ["slack"]:
            return 200, {"ok": True}
        return 200, {"method": self.command, "path": url.path, "query": {name: values if len(values) > 1 else values[0] for name, values in query.items()},
                     "headers": {name.lower(): value for name, value in self.headers.items()}, "data": data}

    def parse(self, body):
        if not body:
            return None
        try:
            return json.loads(body)
        except ValueError:
            return body.decode("utf-8", "replace")

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MOST_BODY))

    def record(self, url, body, key, effect):
        """A request that fails leaves no effect, so its key is still unused."""
        self.server.world.sink.add("http" if effect else "http-failed", key, body, method=self.command, path=url.path, query=url.query,
                                   body=self.parse(body), content_type=self.headers.get("Content-Type"))

    def reply(self, status, data, headers=None):
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class SmtpPeer(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs, with AUTH PLAIN and LOGIN that take any password but "wrong"."""
    timeout = 60
    disable_nagle_algorithm = True

    def handle(self):
        try:
            self.talk()
        except (OSError, ValueError):
            pass

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def line(self):
        return self.rfile.readline(100_000)

    def talk(self):
        self.say("220 demo.localhost ESMTP")
        self.sender, self.recipients = None, []
        while line := self.line():
            text = line.decode("utf-8", "replace").strip()
            verb = text.split(" ", 1)[0].upper()
            if verb == "QUIT":
                return self.say("221 bye")
            if verb == "EHLO":
                self.say("250-demo.localhost\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 67108864")
            elif verb == "AUTH":
                self.login(text)
            elif verb == "MAIL":
                plan = self.server.world.take_plan("smtp")
                if plan and plan["smtp"] == "close":
                    return None
                if plan:
                    self.say(plan["smtp"])
                    continue
                self.sender, self.recipients = text.split(":", 1)[1].split(" ")[0].strip("<>"), []
                self.say("250 ok")
            elif verb == "RCPT":
                self.recipients.append(text.split(":", 1)[1].strip().strip("<>"))
                self.say("250 ok")
            elif verb == "DATA":
                self.take_message()
            elif verb in ("HELO", "RSET", "NOOP"):
                self.say("250 ok")
            else:
                self.say("502 not known here")
        return None

    def login(self, text):
        words = text.split(" ")
        secret = words[2] if len(words) > 2 else ""
        if words[1].upper() == "LOGIN":
            if not secret:
                self.say("334 VXNlcm5hbWU6")
                self.line()
            self.say("334 UGFzc3dvcmQ6")
            secret = self.line().decode().strip()
        elif not secret:
            self.say("334 ")
            secret = self.line().decode().strip()
        wrong = base64.b64decode(secret).split(b"\0")[-1] == b"wrong"
        self.say("535 5.7.8 credentials are wrong" if wrong else "235 welcome")

    def take_message(self):
        self.say("354 go ahead")
        lines = []
        while (line := self.line()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        raw = b"".join(lines)
        message = email.message_from_bytes(raw, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        key = message["Message-ID"]
        record = self.server.world.sink.add(
            "mail", str(key) if key else None, raw, sender=self.sender, recipients=self.recipients,
            headers={name: str(value) for name, value in message.items()}, text=body.get_content() if body else "",
            attachments=[{"filename": part.get_filename(), "sha256": hashlib.sha256(part.get_payload(decode=True) or b"").hexdigest()}
                         for part in message.iter_attachments()])
        self.say("250 taken" if not record["duplicate"] else "250 had it before")


class SmtpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class DemoServices:
    """Both servers, running in threads of this process. A context manager."""

    def __init__(self, http_port=0, smtp_port=0, sink=None, host="127.0.0.1"):
        self.world = World(Sink(sink))
        self.http = HttpServer((host, http_port), HttpPeer)
        self.smtp = SmtpServer((host, smtp_port), SmtpPeer)
        self.http.world = self.smtp.world = self.world
        self.http_url = f"http://{host}:{self.http.server_address[1]}"
        self.smtp_url = f"smtp://{host}:{self.smtp.server_address[1]}"

    def __enter__(self):
        for server in (self.http, self.smtp):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.world.stopping.set()
        for server in (self.http, self.smtp):
            server.shutdown()
            server.server_close()
        self.world.sink.close()

    @property
    def records(self):
        return self.world.sink.records

    def wait_for_record(self, known, seconds):
        """Returns when there are more than `known` records, or the time is over."""
        with self.world.sink.changed:
            self.world.sink.changed.wait_for(lambda: len(self.records) > known, seconds)

    def variables(self):
        """What the example workflows know the services by."""
        return {"crm_url": f"{self.http_url}/crm", "slack_url": f"{self.http_url}/slack", "demo_url": self.http_url, "smtp_url": self.smtp_url}


def show_record(record):
    again = "  (repeated: had it before)" if record["duplicate"] else ""
    if record["kind"] == "mail":
        headers = "\n".join(f"    {name}: {record['headers'][name]}" for name in ("From", "To", "Subject", "Message-ID") if name in record["headers"])
        text = "\n".join(f"    | {line}" for line in record["text"].rstrip().splitlines())
        return f"  mail server{again}\n{headers}\n{text}"
    name = {"crm": "CRM", "slack": "Slack"}.get(record["path"].strip("/").split("/")[0], "web server")
    failed = "  (answered with a planned failure)" if record["kind"] == "http-failed" else ""
    return f"  {name}{failed}{again}\n    {record['method']} {record['path']}\n    {json.dumps(record['body'], ensure_ascii=False)}"


def run_onboarding(binary, inputs, data_dir):
    """Runs onboarding.yaml against services of its own and shows what they received."""
    workflow = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onboarding.yaml")
    with DemoServices() as services, tempfile.TemporaryDirectory() as scratch:
        command = [binary, "run", workflow, "--data-dir", data_dir or scratch]
        for name, value in services.variables().items():
            command += ["--var", f"{name}={value}"]
        for pair in inputs or ["email=ada@example.org", "name=Ada Lovelace"]:
            command += ["--input", pair]
        print(f"$ {shlex.join(command)}", flush=True)
        code = subprocess.run(command, check=False).returncode
        print("\nWhat the demo services received:")
        for record in services.records:
            print(show_record(record))
        return code


def serve_product(binary, arguments):
    """Runs `flowpilot serve --dev` beside the services, with their addresses as variables; shows what they receive."""
    with DemoServices() as services:
        command = [binary, "serve", "--dev", "--data-dir", os.path.join(tempfile.gettempdir(), f"flowpilot-dev-{os.getuid()}"), "--tasks", FUNCTIONS, *arguments]
        for name, value in services.variables().items():
            command += ["--var", f"{name}={value}"]
        print(f"$ {shlex.join(command)}", flush=True)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: process.poll() is None and process.send_signal(signal.SIGTERM))
            ready = process.stdout.readline()
            print(ready, end="", flush=True)
            if ready:
                show_first_steps(ready.split(" at ")[1].split()[0])
            shown = 0
            while process.poll() is None:
                for record in services.records[shown:]:
                    print(show_record(record), flush=True)
                    shown += 1
                services.wait_for_record(shown, 0.5)
            return process.returncode


def call(method, url, body=b"", kind="application/json"):
    request = urllib.request.Request(url, body or None, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def find_python_workflow(url):
    """The onboarding workflow of examples/functions, published when it is not there yet; None while its functions are not registered."""
    end = time.monotonic() + 10
    while not any(row["type"] == "onboarding.add_contact" and row["workers"] for row in call("GET", f"{url}/api/task-types/")["results"]):
        if time.monotonic() > end:
            return None
        time.sleep(0.1)
    found = call("GET", f"{url}/api/workflows/?search=onboarding+in+Python")["results"]
    if found:
        return found[0]["id"]
    with open(os.path.join(FUNCTIONS, "onboarding_python.yaml"), "rb") as file:
        made = call("POST", f"{url}/api/workflows/import/", file.read(), "application/yaml")
    return call("POST", f"{url}/api/workflows/{made['id']}/publish/", b"{}")["id"]


def show_first_steps(url):
    """One line to copy that runs the onboarding workflow: by Python functions, or by built-in steps when there is no Python."""
    found = find_python_workflow(url)
    if found is None:
        listed = call("GET", f"{url}/api/workflows/?search=onboarding")["results"]
        if not listed:
            return
        found = listed[0]["id"]
    hooks = call("GET", f"{url}/api/webhooks/")["results"]
    ours = [row["path"] for row in hooks if row["workflow"] == found] + [row["path"] for row in hooks if row["path"] == "/hooks/user-signup"]
    body = json.dumps({"email": "ada@example.org", "name": "Ada Lovelace"})
    if ours:
        print("\nA user signs up, and the onboarding workflow starts:\n"
              f"  curl -s {url}{ours[0]} -H 'Content-Type: application/json' -d '{body}'")
    else:  # somebody took its webhook away
        print(f"\nRun the onboarding workflow:\n  curl -s -X POST {url}/api/workflows/{found}/run/ -H 'Content-Type: application/json' -d '{{\"input\": {body}}}'")
    print("\nWhat the demo services receive is shown here. Ctrl-C stops everything.\n", flush=True)


def serve(options):
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with DemoServices(options.http_port, options.smtp_port, options.sink, options.host) as services:
        ready = {"http": services.http_url, "smtp": services.smtp_url, "http_port": services.http.server_address[1],
                 "smtp_port": services.smtp.server_address[1], "pid": os.getpid(), "vars": services.variables()}
        print(json.dumps(ready), flush=True)
        stop.wait()
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--http-port", type=int, default=0, help="0 chooses one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 chooses one")
    parser.add_argument("--sink", metavar="FILE", help="append everything received, one JSON line each")
    parser.add_argument("--run-onboarding", metavar="BINARY", help="run the onboarding example with this flowpilot and leave")
    parser.add_argument("--serve", metavar="BINARY", help="run this flowpilot as a server beside the services")
    parser.add_argument("arguments", nargs="*", help="further arguments of the server")
    parser.add_argument("--input", action="append", metavar="NAME=VALUE", help="input of the onboarding run")
    parser.add_argument("--data-dir", help="where the onboarding run keeps its execution")
    options = parser.parse_args()
    if options.run_onboarding:
        return run_onboarding(options.run_onboarding, options.input, options.data_dir)
    if options.serve:
        return serve_product(options.serve, options.arguments)
    return serve(options)


if __name__ == "__main__":
    sys.exit(main())
