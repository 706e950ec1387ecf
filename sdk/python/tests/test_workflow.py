"""Workflows built in Python, and the client against answers that each test chooses."""
import asyncio
import json

import pytest

from flowpilot import ApiError, AsyncClient, Client, ExecutionFailed, Unreachable, Workflow, operations, task
from flowpilot.operations import Call, Pause


@task(name="shop.price")
def price(item: str) -> float:
    return 1.0


def make_flow():
    flow = Workflow("Order", inputs={"type": "object", "required": ["items"]}, tags=["shop"])
    prices = flow.step("prices", price, item=flow.item.name).for_each(flow.input["items"], max_parallel=4)
    large = flow.step("large", "conditional", condition="{{ steps.prices.output.length > 3 }}").retry(2)
    flow.step("notice", "log", message=f"first: {prices.output[0]}, odd: {flow.input['odd name']}").after(large.when("true"))
    flow.output = {"prices": prices.output}
    flow.trigger("hook", "webhook", path="orders")
    return flow


def test_a_workflow_becomes_the_document_that_the_canvas_draws():
    assert make_flow().to_document() == {
        "name": "Order", "inputs": {"type": "object", "required": ["items"]}, "tags": ["shop"],
        "triggers": [{"id": "hook", "trigger_type": "webhook", "trigger_config": {"path": "orders"}}],
        "steps": [
            {"id": "prices", "step_type": "shop.price", "config": {"item": "{{ item.name }}"}, "for_each": "{{ input.items }}", "max_parallel": 4},
            {"id": "large", "step_type": "conditional", "config": {"condition": "{{ steps.prices.output.length > 3 }}"}, "depends_on": ["prices"],
             "retry_config": {"max_attempts": 2, "initial_delay_seconds": 1.0, "backoff": 2.0, "max_delay_seconds": 60.0, "jitter": True}},
            {"id": "notice", "step_type": "log", "config": {"message": 'first: {{ steps.prices.output[0] }}, odd: {{ input["odd name"] }}'},
             "depends_on": [{"step": "large", "when": "true"}]},
        ],
        "output": {"prices": "{{ steps.prices.output }}"},
    }


@pytest.mark.parametrize("mistake, error, text", [
    (lambda flow: flow.step("prices", "log"), ValueError, "has a step prices already"),
    (lambda flow: flow.step("Not an id", "log"), ValueError, "can not be the id of a step"),
    (lambda flow: flow.step("plain", len), TypeError, "put @task above it"),
    (lambda flow: flow.step("odd", "log", message=object()), TypeError, "has no JSON form"),
    (lambda flow: flow.step("odd", "log").after("prices"), TypeError, "not 'prices'"),
    (lambda flow: [one for one in flow.input.items], TypeError, "use for_each"),
    (lambda flow: "yes" if flow.input.items else "no", TypeError, "use a conditional step"),
])
def test_mistakes_are_told_where_they_are_made(mistake, error, text):
    with pytest.raises(error, match=text):
        mistake(make_flow())


class Script:
    """Stands where the connections are: gives what it is told, in order, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    def call(self, call: Call):
        self.calls.append(call)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


ID = "019b0000-0000-7000-8000-000000000001"
WORKFLOW = {"id": ID, "name": "Order", "revision": 7}


def execution(status, **more):
    return {"id": ID, "workflow_name": "Order", "status": status, "tasks": [], **more}


@pytest.fixture(params=["threads", "asyncio"])
def do(request, monkeypatch):
    """Carries one method of a client out, of both kinds: (answers, method, arguments) -> (result, calls)."""
    monkeypatch.setattr(operations, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(operations, "_SLOWEST_LOOK", 0.001)

    def run(answers, method, *args, **named):
        script = Script(*answers)
        if request.param == "threads":
            client = Client("http://127.0.0.1:1")
            client._connections = script
            return getattr(client, method)(*args, **named), script.calls

        async def act():
            async with AsyncClient("http://127.0.0.1:1") as client:
                client._connections = script
                return await getattr(client, method)(*args, **named)
        return asyncio.run(act()), script.calls

    return run


def test_a_start_that_was_not_answered_is_repeated_under_one_key(do):
    busy = ApiError(503, {"code": "server.overloaded"})
    found, calls = do([WORKFLOW, Unreachable("gone"), busy, execution("pending")], "run", ID, {"items": []}, labels={"by": "test"})
    assert found.status == "pending"
    starts = [call for call in calls if call.method == "POST"]
    assert len(starts) == 3 and len({call.headers for call in starts}) == 1 and b"Idempotency-Key: " in starts[0].headers
    assert json.loads(starts[0].body) == {"input": {"items": []}, "labels": {"by": "test"}}


def test_a_refusal_is_not_repeated_and_says_where(do):
    refusal = ApiError(422, {"code": "input.invalid", "detail": "the input does not fit", "errors": [{"pointer": "/items", "code": "required", "message": "is missing"}]})
    with pytest.raises(ApiError, match="(?s)does not fit.*/items: is missing") as raised:
        do([WORKFLOW, refusal], "run", ID)
    assert raised.value.code == "input.invalid"


def test_a_server_that_stays_away_is_told(do):
    with pytest.raises(Unreachable):
        do([Unreachable("gone")] * 3, "get", ID)


def test_waiting_ends_with_the_execution_or_with_the_time(do):
    found, calls = do([execution("running"), execution("waiting"), execution("failed", error_message="no stock", tasks=[{"step": "pack", "status": "failed"}])], "wait", ID)
    assert len(calls) == 3 and found.has_ended
    with pytest.raises(ExecutionFailed, match="step pack: no stock"):
        found.check()
    with pytest.raises(TimeoutError, match="it goes on"):
        do([execution("running")] * 2, "wait", ID, timeout_seconds=0.0)


def test_names_are_found_and_two_of_a_name_are_not_guessed(do):
    pages = [{"results": [{"id": "a", "name": "Order two"}], "next": "more"}, {"results": [{"id": "b", "name": "Order"}], "next": None}]
    _, calls = do([*pages, execution("pending")], "run", "Order")
    assert calls[-1].path == "/api/workflows/b/run/" and "cursor=more" in calls[1].path
    with pytest.raises(LookupError, match="2 workflows are called 'Order'"):
        do([{"results": [{"id": "a", "name": "Order"}, {"id": "b", "name": "Order"}], "next": None}], "run", "Order")
    with pytest.raises(LookupError, match="no workflow 'Order'"):
        do([{"results": [], "next": None}], "run", "Order")


def test_publishing_replaces_the_draft_that_was_read(do):
    saved = {**WORKFLOW, "revision": 8}
    _, calls = do([{"results": [WORKFLOW], "next": None}, WORKFLOW, saved, {**saved, "published_version": 2}], "publish", make_flow(), note="four at a time")
    put, post = calls[2:]
    assert put.method == "PUT" and b'If-Match: "7"' in put.headers and json.loads(put.body)["name"] == "Order"
    assert post.path.endswith("/publish/") and b'If-Match: "8"' in post.headers and json.loads(post.body) == {"note": "four at a time"}


def test_a_save_is_not_repeated_because_it_would_look_like_a_conflict(do):
    with pytest.raises(Unreachable):
        do([{"results": [WORKFLOW], "next": None}, WORKFLOW, Unreachable("gone")], "publish", make_flow())


def test_lists_are_fetched_page_by_page():
    client = Client("http://127.0.0.1:1")
    client._connections = Script({"results": [execution("failed")], "next": "more"}, {"results": [execution("completed")], "next": None})
    found = client.list(status="failed,completed", workflow="Order")
    assert next(found).status == "failed" and len(client._connections.calls) == 1
    assert [one.status for one in found] == ["completed"]
    assert client._connections.calls[0].path == "/api/executions/?workflow=Order&status=failed%2Ccompleted"


def test_pauses_are_short_of_a_stampede():
    steps = operations.get(ID)
    next(steps)
    pause = steps.throw(Unreachable("gone"))
    assert isinstance(pause, Pause) and 0.1 < pause.seconds < 0.3
