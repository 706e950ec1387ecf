"""Functions of the end-to-end tests: those that behave, and those that do not."""
import asyncio
import errno
import logging
import os
import sys
import threading
import time
from pathlib import Path

from flowpilot import Cancelled, Context, Retry, TaskFailure, task


@task(retries=Retry(max_attempts=3, initial_delay_seconds=0.01, jitter=False))
def flaky(ctx: Context, fail_until: int) -> dict:
    """Fails until an attempt.

    Args:
        fail_until: The first attempt that succeeds.
    """
    print("attempt", ctx.attempt)
    logging.getLogger("work").warning("with key %s", ctx.idempotency_key)
    if ctx.attempt < fail_until:
        raise ConnectionError("not yet")
    return {"attempt": ctx.attempt, "key": ctx.idempotency_key}


@task
async def nap(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@task
def touch_and_wait(ctx: Context, marker: str, pid_file: str = "") -> dict:
    """Says that it began, then waits until it is cancelled, at most a minute. The second attempt ends at once."""
    with open(marker, "a", encoding="utf-8") as out:
        out.write(f"{ctx.attempt} {ctx.idempotency_key}\n")
    if pid_file:
        Path(pid_file).write_text(str(os.getpid()), encoding="utf-8")
    if ctx.attempt == 1:
        ctx.heartbeat({"page": 7})
        ctx.wait_cancelled(60)
        ctx.check_cancelled()
    return {"attempt": ctx.attempt, "last": ctx.last_details}


@task
def hoard(touch: bool) -> int:
    """10 GB, at once or bit by bit."""
    if not touch:
        return len(bytearray(10 << 30))
    kept = []
    while len(kept) < 10 << 10:
        kept.append(bytearray(1 << 20))
    return len(kept)


@task
def note_late(started: str, ended: str, seconds: float) -> None:
    Path(started).touch()
    time.sleep(seconds)
    Path(ended).touch()


@task
def reach(ctx: Context, read: dict, write: dict) -> dict:
    """What became of each try to read and to write a file, and how many processes it sees."""
    def outcome(path: str, mode: str) -> str:
        try:
            with open(path, mode) as file:
                file.read(1) if "r" in mode else file.write(" ")
        except OSError as error:
            return errno.errorcode[error.errno]
        return "done"
    return {"read": {name: outcome(path, "rb") for name, path in read.items()}, "write": {name: outcome(path, "a") for name, path in write.items()},
            "processes": sum(name.isdigit() for name in os.listdir("/proc")), "home": str(Path.home())}


@task
def misbehave(how: str) -> object:
    if how == "raise":
        raise TaskFailure("declined", code="payment.declined", retryable=False, details={"reason": "no funds"})
    if how == "unprintable":
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no")
        raise Mute()
    if how == "exit":
        sys.exit(3)
    if how == "interrupt":
        raise KeyboardInterrupt()
    if how == "recursion":
        return misbehave(how)
    if how == "object":
        return {"rows": [1, {"x": object()}]}
    if how == "nan":
        return [float("nan")]
    if how == "surrogate":
        return {"text": "\ud83d"}
    if how == "large":
        return "x" * (13 << 20)
    if how == "circle":
        circle: list = []
        circle.append(circle)
        return circle
    if how == "print":
        for _ in range(200_000):
            print("x" * 1000)
        sys.stdout.write("\x1b[31m\x00\ufffd no end of line")
        return "printed"
    if how == "write":
        os.write(1, b"\xff\x00 not the protocol\n" * 100)
        return "wrote"
    if how == "thread":
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        return "left a thread"
    if how == "fork":
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        return os.waitpid(pid, 0)[1]
    raise ValueError(how)


@task(timeout=0.3)
def ignore_the_end() -> None:
    while True:
        try:
            time.sleep(0.01)
        except Cancelled:
            pass


@task(timeout=0.3)
def spin() -> None:
    while True:
        pass


@task
def leave() -> None:
    os._exit(7)
