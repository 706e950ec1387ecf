"""Functions carried out as a worker carries them out, through flowpilot.testing."""
import asyncio
import logging
import sys

import pytest

from flowpilot import Cancelled, Context, TaskFailure, current, task
from flowpilot.testing import run_task


def make(function, **options):
    return task(name=f"t.{function.__name__}", **options)(function)


def test_it_gets_its_context_and_says_things():
    def speak(ctx: Context, n: int) -> dict:
        print("printed", n)
        print("no end of line", end="")
        logging.getLogger("x").error("logged\nin two lines")
        current().log.debug("%s %d", "said", 1)
        ctx.progress(0.5, "half")
        return {"attempt": ctx.attempt, "key": ctx.idempotency_key, "last": ctx.last_details}

    run = run_task(make(speak), attempt=3, last_details={"page": 4}, n=1)
    assert run.result == {"attempt": 3, "key": "test-key", "last": {"page": 4}}
    assert run.logs == [("info", "printed 1"), ("error", "logged"), ("error", "in two lines"), ("debug", "said 1"), ("info", "no end of line")]
    assert run.heartbeat == {"progress": 0.5, "note": "half"}


def test_coroutines_are_carried_out_too():
    async def nap(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    assert run_task(make(nap), seconds=0).result == 0


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no")


def deep():
    return deep()


@pytest.mark.parametrize("raised, code, message, retryable", [
    (lambda: 1 / 0, "python.exception", "ZeroDivisionError: division by zero", True),
    (lambda: sys.exit(3), "python.exit", "sys.exit(3)", False),
    (deep, "python.recursion", "recursed", False),
    (lambda: bytearray(1 << 60), "python.memory", "memory", True),
    (lambda: (_ for _ in ()).throw(Mute()), "python.exception", "can not be printed", True),
    (lambda: (_ for _ in ()).throw(KeyError("\ud800")), "python.exception", "KeyError", True),
    (lambda: (_ for _ in ()).throw(TaskFailure("no funds", code="payment.declined", retryable=False, details={"balance": 0})), "payment.declined", "no funds", False),
    (lambda: (_ for _ in ()).throw(Cancelled()), "task.cancelled", "cancelled", True),
    (lambda: object(), "python.result", "result is a object", False),
    (lambda: "x" * (13 << 20), "python.too_large", "12582912", False),
])
def test_every_way_to_fail_has_a_code(raised, code, message, retryable):
    run = run_task(task(name="t.fails")(lambda: raised()))
    assert (run.error["code"], run.error["retryable"]) == (code, retryable)
    assert message in run.error["message"]
    run.error["message"].encode("utf-8")


def test_exceptions_that_are_named_are_not_retried():
    def look() -> None:
        raise LookupError("gone")

    assert run_task(make(look, non_retryable=(LookupError,))).error["retryable"] is False


def test_the_traceback_shows_the_authors_lines_only():
    def outer() -> None:
        raise ValueError("here") from OSError("because")

    details = run_task(make(outer)).error["details"]
    assert 'raise ValueError("here") from OSError("because")' in details["traceback"]
    assert "attempt.py" not in details["traceback"]
    assert details["cause"] == "OSError: because"


def test_a_config_that_does_not_fit_is_the_steps_mistake():
    def add(a: int, b: int = 1) -> int:
        return a + b

    made = make(add)
    assert run_task(made, a=1).result == 2
    for config, message in (({"a": "x"}, "a must be a whole number"), ({}, "a is missing"), ({"a": 1, "c": 2}, "c is no parameter")):
        error = run_task(made, **config).error
        assert (error["code"], error["retryable"]) == ("python.input", False)
        assert message in error["message"]


def test_the_log_is_bounded_and_says_so():
    def flood() -> None:
        for _ in range(20_000):
            print("x" * 100)
        print("y" * 100_000)

    logs = run_task(make(flood)).logs
    assert len(logs) == 10_001
    assert "10001 more lines were dropped" in logs[-1][1]


def test_a_function_without_task_is_told_so():
    with pytest.raises(TypeError, match="@task"):
        run_task(lambda: None)
