"""The SDK's client and its test help, through the real binary."""
import asyncio
import os
import sys
import tempfile
import unittest
from pathlib import Path

from harness import BIN, ROOT, ServerTest

sys.path.insert(0, str(ROOT / "sdk/python/src"))
os.environ["FLOWPILOT_BIN"] = BIN
from flowpilot import ApiError, AsyncClient, Client, ExecutionFailed, TaskFailure, Workflow, task  # noqa: E402
from flowpilot.testing import run_workflow  # noqa: E402

seen = []


@task(name="shop.price", retries=1)
def price(item: str) -> float:
    seen.append(item)
    return {"tea": 2.5, "cake": 4.0}[item]


def make_order() -> Workflow:
    flow = Workflow("Order", inputs={"type": "object", "required": ["items"]})
    prices = flow.step("prices", price, item=flow.item).for_each(flow.input["items"])
    total = flow.step("total", "set", values={"sum": "{{ steps.prices.output.reduce((a, b) => a + b, 0) }}"})
    large = flow.step("large", "conditional", condition="{{ steps.total.output.sum > 5 }}")
    flow.step("pay", "http_request", method="POST", url="http://127.0.0.1:1/pay", json={"sum": total.output.sum}).after(large.when("true")).retry(1)
    flow.output = total.output
    return flow


def make_greeting(name: str = "Greeting") -> Workflow:
    flow = Workflow(name)
    waits = flow.step("waits", "wait_signal", name="go", timeout_seconds=60)
    allowed = flow.step("allowed", "approval", title="Greet?").after(waits)
    flow.step("hello", "log", message=f"hello {waits.output.who}").after(allowed.when("approved"))
    flow.output = {"who": waits.output.who}
    return flow


class TestingTest(unittest.TestCase):
    """run_workflow: the engine without a server."""

    def test_functions_run_in_the_process_of_the_test(self):
        seen.clear()
        done = run_workflow(make_order(), {"items": ["tea", "cake"]}, overrides={"pay": {"paid": True}})
        self.assertEqual(done.check().output, {"sum": 6.5})
        self.assertEqual((sorted(seen), done.task("pay")["result"], done.task("prices", 1)["result"]), (["cake", "tea"], {"paid": True}, 4.0))

    def test_an_override_sees_the_rendered_config_and_conditions_hold(self):
        calls = []
        run_workflow(make_order(), {"items": ["cake", "tea"]}, overrides={"pay": calls.append}).check()
        self.assertEqual([(call["method"], call["json"]) for call in calls], [("POST", {"sum": 6.5})])
        self.assertEqual(run_workflow(make_order(), {"items": ["tea"]}, overrides={"pay": calls.append}).task("pay")["status"], "skipped")
        self.assertEqual(len(calls), 1)

    def test_what_an_override_raises_fails_the_step(self):
        failed = run_workflow(make_order(), {"items": ["cake", "cake"]}, overrides={"pay": TaskFailure("no funds", code="payment.declined", retryable=False)})
        with self.assertRaisesRegex(ExecutionFailed, "step pay: .*no funds"):
            failed.check()
        self.assertEqual(failed.task("pay")["error"]["code"], "payment.declined")

    def test_signals_and_approvals_can_be_given(self):
        self.assertEqual(run_workflow(make_greeting(), signals={"go": {"who": "Ada"}}, approve=["allowed"]).check().output, {"who": "Ada"})
        rejected = run_workflow(make_greeting(), signals={"go": {"who": "Ada"}}, reject=["allowed"])
        self.assertEqual(rejected.task("hello")["status"], "skipped")

    def test_files_run_as_they_are(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "flow.yaml"
            file.write_text("name: From a file\nsteps:\n  - {id: a, step_type: shop.price, config: {item: tea}}\noutput: '{{ steps.a.output }}'\n")
            self.assertEqual(run_workflow(file).check().output, 2.5)

    def test_what_can_not_run_says_why(self):
        for workflow, named, text in ((Workflow("Empty"), {}, "steps"), (make_order(), {"overrides": {"nothing": 1}}, "no step nothing"),
                                      (make_order(), {"overrides": {"large": 1}}, "the engine decides conditional steps"),
                                      ({"name": "Typo", "steps": [{"id": "a", "step_type": "shop.prise"}]}, {}, "shop.prise")):
            with self.assertRaisesRegex(RuntimeError, text):
                run_workflow(workflow, {"items": []}, **named)
        with self.assertRaisesRegex(TimeoutError, "after 0.5 s"):
            run_workflow(make_greeting(), timeout_seconds=0.5)


class ClientTest(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        self.sdk = Client(f"http://127.0.0.1:{self.server.port}")
        self.addCleanup(self.sdk.close)

    def test_a_workflow_is_published_run_signalled_and_decided(self):
        published = self.sdk.publish(make_greeting(), note="first")
        started = self.sdk.run("Greeting", labels={"from": "sdk"}, idempotency_key="greet-ada")
        self.assertEqual(self.sdk.run("Greeting", labels={"from": "sdk"}, idempotency_key="greet-ada").id, started.id)
        self.sdk.signal(started, "go", {"who": "Ada"})
        while self.sdk.get(started).task("allowed")["status"] != "waiting":
            pass
        self.sdk.decide(started, "allowed", True, comment="fine")
        self.assertEqual(self.sdk.wait(started, timeout_seconds=30).check().output, {"who": "Ada"})
        self.assertEqual([one.id for one in self.sdk.list(workflow="Greeting", label="from=sdk")], [started.id])
        changed = make_greeting()
        changed.output = "another"
        again = self.sdk.publish(changed)
        self.assertEqual((again["id"], again["published_version"]), (published["id"], published["published_version"] + 1))

    def test_a_yaml_file_is_published_and_its_mistakes_are_places(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "flow.yaml"
            file.write_text("name: From YAML\nsteps:\n  - {id: fails, step_type: fail, config: {message: on purpose}}\n")
            self.sdk.publish(file)
            failed = self.sdk.wait(self.sdk.run("From YAML"), timeout_seconds=30)
            with self.assertRaisesRegex(ExecutionFailed, "on purpose"):
                failed.check()
            again = self.sdk.retry(failed, start="start")
            self.assertEqual((again.id != failed.id, self.sdk.wait(again).status), (True, "failed"))
            file.write_text("name: From YAML\nsteps:\n  - {id: a, step_type: no_such_type}\n")
            with self.assertRaisesRegex(ApiError, "/steps/0/step_type") as refused:
                self.sdk.publish(file)
            self.assertEqual(refused.exception.status, 422)

    def test_what_waits_can_be_cancelled_from_asyncio(self):
        async def act():
            async with AsyncClient(f"http://127.0.0.1:{self.server.port}") as client:
                await client.publish(make_greeting("Cancelled greeting"))
                started = await asyncio.gather(*(client.run("Cancelled greeting") for _ in range(20)))
                for one in started:
                    await client.cancel(one, "not today")
                return [(await client.wait(one)).status for one in started], [one.id async for one in client.list(workflow="Cancelled greeting")]
        statuses, listed = asyncio.run(act())
        self.assertEqual((statuses, len(set(listed))), (["cancelled"] * 20, 20))

    def test_what_is_not_there_is_told_apart(self):
        with self.assertRaisesRegex(LookupError, "no workflow 'Nothing'"):
            self.sdk.run("Nothing")
        with self.assertRaises(ApiError) as unknown:
            self.sdk.get("019b0000-0000-7000-8000-000000000001")
        self.assertEqual(unknown.exception.status, 404)


if __name__ == "__main__":
    unittest.main()
