#!/usr/bin/env python3
"""Runs every example with the built binary against the demo services and looks at what they received.

  FLOWPILOT_BIN=build/release/flowpilot python3 examples/test_examples.py
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from demo_services import DemoServices  # noqa: E402

BINARY = os.environ.get("FLOWPILOT_BIN", str(HERE.parent / "build/release/flowpilot"))


class ExampleTest(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.services = self.enterContext(DemoServices(sink=str(self.scratch / "sink.jsonl")))

    def run_example(self, name, *arguments, inputs=None, expect=0, variables=None):
        command = [BINARY, "run", str(HERE / name), "-o", "json", "--data-dir", str(self.scratch / "data")]
        for key, value in {**self.services.variables(), **(variables or {})}.items():
            command += ["--var", f"{key}={value}"]
        for key, value in (inputs or {}).items():
            command += ["--input", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.scratch)})
        self.assertEqual(done.returncode, expect, done.stderr)
        return json.loads(done.stdout)

    def received(self, kind="http", path=""):
        return [record for record in self.services.records if record["kind"] == kind and record.get("path", "").startswith(path)]

    def control(self, order):
        request = urllib.request.Request(self.services.http_url + "/control", json.dumps(order).encode(), method="POST")
        urllib.request.urlopen(request).read()

    def test_onboarding_welcomes_records_and_tells_of_a_vip(self):
        result = self.run_example("onboarding.yaml", inputs={"email": "ada@example.org", "name": "Ada Lovelace"})
        self.assertEqual(result["output"]["contact"]["email"], "ada@example.org")
        self.assertTrue(result["output"]["vip"])
        [mail] = self.received("mail")
        self.assertEqual(mail["headers"]["Subject"], "Welcome, Ada Lovelace!")
        self.assertEqual(mail["headers"]["Message-ID"], result["output"]["message_id"])
        self.assertIn("Hello Ada Lovelace", mail["text"])
        [contact], [slack] = self.received(path="/crm/contacts"), self.received(path="/slack")
        self.assertEqual(contact["body"], {"email": "ada@example.org", "name": "Ada Lovelace", "source": "signup"})
        self.assertEqual(slack["body"], {"text": "VIP signed up: Ada Lovelace (score 87)"})
        self.assertEqual(len({record["key"] for record in self.services.records}), 3)

    def test_onboarding_by_python_functions_does_the_same(self):
        self.control({"path": "/crm", "times": 1, "status": 503})
        result = self.run_example("functions/onboarding_python.yaml", "--tasks", str(HERE / "functions"), inputs={"email": "ada@example.org", "name": "Ada Lovelace"})
        self.assertTrue(result["output"]["vip"])
        [failed], [contact], [slack] = self.received("http-failed"), self.received(path="/crm/contacts"), self.received(path="/slack")
        self.assertEqual(contact["body"], {"email": "ada@example.org", "name": "Ada Lovelace", "source": "signup"})
        self.assertEqual(failed["key"], contact["key"], "the second attempt sends the first one's key")
        self.assertEqual(slack["body"], {"text": "VIP signed up: ada@example.org (score 87)"})

    def test_onboarding_tells_nobody_of_an_ordinary_user(self):
        result = self.run_example("onboarding.yaml", inputs={"email": "user2@example.org"})
        self.assertFalse(result["output"]["vip"])
        self.assertEqual(self.received(path="/slack"), [])

    def test_onboarding_repeats_what_fails_with_the_same_key(self):
        self.control({"path": "/crm", "times": 1, "status": 429, "retry_after": 1})
        self.control({"smtp": "451 greylisted", "times": 1})
        self.run_example("onboarding.yaml", inputs={"email": "ada@example.org"})
        [failed], [made] = self.received("http-failed"), self.received(path="/crm")
        self.assertEqual(failed["key"], made["key"])
        self.assertGreaterEqual(made["at"] - failed["at"], 1.0)
        self.assertEqual(len(self.received("mail")), 1)

    def test_onboarding_survives_a_notice_that_fails(self):
        self.control({"path": "/slack", "times": 9, "status": 404})
        result = self.run_example("onboarding.yaml", inputs={"email": "ada@example.org"})
        self.assertEqual(result["status"], "completed")

    def test_onboarding_refuses_input_without_address(self):
        command = [BINARY, "run", str(HERE / "onboarding.yaml"), "--data-dir", str(self.scratch / "data")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("email", done.stderr)
        self.assertEqual(self.services.records, [])

    def test_batch_goes_on_after_a_bad_item(self):
        people = [{"email": "ada@example.org"}, {"name": "Nobody"}, {"email": "bob@example.org"}]
        result = self.run_example("batch_invites.yaml", inputs={"people": people})
        self.assertEqual(result["output"], {"created": ["ada@example.org", "bob@example.org"], "failed": [1]})

    def test_tickets_take_one_way_each(self):
        routes = [("billing", "Invoice 17 is wrong", "billing"), ("other", "URGENT: it is down", "urgent"), ("other", "A question", "default")]
        for topic, text, case in routes:
            self.assertEqual(self.run_example("ticket_routing.yaml", inputs={"topic": topic, "text": text})["output"], case)
        self.assertEqual([mail["recipients"] for mail in self.received("mail")], [["accounting@example.org"]])
        self.assertEqual(len(self.received(path="/slack")), 1)
        self.assertEqual(len(self.received(path="/echo/queue")), 1)

    def test_expenses_are_decided(self):
        expense = {"amount": 420, "purpose": "Train tickets"}
        self.assertTrue(self.run_example("expense_approval.yaml", "--approve", "decide", inputs=expense)["output"]["paid"])
        self.assertFalse(self.run_example("expense_approval.yaml", "--reject", "decide", inputs=expense)["output"]["paid"])
        self.assertTrue(self.run_example("expense_approval.yaml", inputs={"amount": 5, "purpose": "Tea"})["output"]["paid"])

    def test_payment_comes_or_does_not(self):
        paid = self.run_example("payment_signal.yaml", "--signal", 'paid={"amount": 99}', inputs={"order": 17})
        self.assertEqual(paid["output"], {"order": 17, "state": "shipped", "paid": 99})
        late = self.run_example("payment_signal.yaml", inputs={"order": 18, "patience": 0.2})
        self.assertEqual(late["output"], {"order": 18, "state": "cancelled"})

    def test_saga_undoes_in_reverse_order(self):
        result = self.run_example("booking_saga.yaml", inputs={"traveller": "Ada"}, expect=1)
        self.assertEqual(result["status"], "failed")
        self.assertEqual(result["error"]["code"], "http.4xx")
        undone = [record["path"] for record in self.received() if record["method"] == "DELETE"]
        self.assertEqual(undone, ["/echo/hotels/H1", "/echo/flights/F1"])

    def test_flaky_service_recovers_or_is_reported(self):
        result = self.run_example("flaky_service.yaml")
        self.assertEqual(result["output"], {"recovered": 200, "error": "http.5xx"})
        self.assertEqual(len(self.received("http-failed", "/fail/2/orders")), 2)
        self.assertEqual(len(self.received("http-failed", "/status/503")), 2)
        self.assertEqual([record["body"] for record in self.received(path="/slack")], [{"text": "The service is down: http.5xx"}])

    def test_order_ships_each_item_in_a_child(self):
        items = [{"sku": "A-1", "count": 2}, {"sku": "B-7", "count": 1}]
        self.assertEqual(self.run_example("order.yaml", inputs={"items": items})["output"], ["2 x A-1", "1 x B-7"])
        self.assertEqual(len(self.received(path="/echo/warehouse")), 2)

    def test_item_ships_alone(self):
        result = self.run_example("ship_item.yaml", inputs={"sku": "A-1", "count": 3, "demo_url": self.services.http_url})
        self.assertEqual(result["output"], "3 x A-1")

    def test_top_customers_are_found(self):
        self.assertEqual(self.run_example("top_customers.yaml")["output"], ["1. ada: 160", "2. bob: 80"])

    def test_report_is_written_twice_with_the_same_content(self):
        variables = {"db_url": f"sqlite:///{self.scratch}/sales.db"}
        runs = [self.run_example("nightly_report.yaml", "--file-root", str(self.scratch), variables=variables) for _ in range(2)]
        self.assertEqual(runs[0]["output"], runs[1]["output"])
        self.assertEqual((self.scratch / "reports/sales.csv").read_text(), "product;euros\nRobert;160\ntea;80\n")

    def test_reminder_is_sent_after_the_delay(self):
        result = self.run_example("trial_reminder.yaml", inputs={"email": "ada@example.org", "seconds": 0.3})
        self.assertTrue(result["output"]["reminded"])
        [mail] = self.received("mail")
        self.assertEqual(mail["attachments"][0]["filename"], "prices.csv")

    def test_every_example_is_valid_and_tested(self):
        examples = sorted(path.name for path in HERE.glob("*.yaml"))
        done = subprocess.run([BINARY, "validate", *(str(HERE / name) for name in examples)], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        text = pathlib.Path(__file__).read_text(encoding="utf-8")
        self.assertEqual([name for name in examples if f'"{name}"' not in text], [])


class DemoServicesTest(unittest.TestCase):
    def test_serves_until_terminated_and_keeps_its_record(self):
        with tempfile.TemporaryDirectory() as scratch:
            sink = pathlib.Path(scratch) / "sink.jsonl"
            with subprocess.Popen([sys.executable, str(HERE / "demo_services.py"), "--sink", str(sink)], stdout=subprocess.PIPE, text=True) as process:
                ready = json.loads(process.stdout.readline())
                for _ in range(2):
                    request = urllib.request.Request(ready["vars"]["crm_url"] + "/contacts", b'{"email": "a@example.org"}', {"Idempotency-Key": "k"})
                    self.assertEqual(json.load(urllib.request.urlopen(request))["id"], "1001")
                process.terminate()
                self.assertEqual(process.wait(10), 0)
            records = [json.loads(line) for line in sink.read_text().splitlines()]
            self.assertEqual([(record["key"], record["duplicate"]) for record in records], [("k", False), ("k", True)])


if __name__ == "__main__":
    unittest.main()
