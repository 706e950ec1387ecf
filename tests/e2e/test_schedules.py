"""Schedules over HTTP: when they would fire, and mistakes in them."""
import datetime
import glob
import json
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import BIN, Server, ServerTest, step

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), "")


def parse(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class ScheduleTest(ServerTest):
    def preview(self, **body):
        return self.client.post("/api/schedules/preview/", body)

    def test_the_next_times_with_their_notes(self) -> None:
        reply = self.preview(cron="30 2 * * *", timezone="Europe/Berlin", after="2026-03-28T12:00:00Z", count=2)
        self.assertEqual(reply.json["results"], [{"at": "2026-03-29T01:00:00.000Z", "local": "2026-03-29T03:00:00+02:00", "note": "shifted"},
                                                 {"at": "2026-03-30T00:30:00.000Z", "local": "2026-03-30T02:30:00+02:00", "note": None}])
        self.assertEqual(len(self.preview(cron="@hourly").json["results"]), 10)
        ending = self.preview(every_seconds=60, anchor="2026-01-01T00:00:30Z", end="2026-01-01T00:02:00Z", after="2026-01-01T00:00:00Z")
        self.assertEqual([row["local"][11:19] for row in ending.json["results"]], ["00:00:30", "00:01:30"])

    def test_mistakes_have_a_place(self) -> None:
        for body, code, pointer in (({"cron": "61 * * * *"}, "cron.syntax", "/cron"), ({"cron": "0 0 30 2 *"}, "cron.never_fires", "/cron"), ({"cron": "0 0 * L *"}, "cron.unsupported", "/cron"),
                                    ({"cron": "* * * * *", "timezone": "UTC+25"}, "tz.unknown", "/timezone"), ({"cron": "* * * * *", "after": "soon"}, None, "/after")):
            reply = self.preview(**body)
            self.assertIn(reply.status, (400, 422), reply.body)
            self.assertIn(pointer, [error["pointer"] for error in reply.json["errors"]])
            if code:
                self.assertEqual(reply.code, code)
        self.assertIn(self.preview().status, (400, 422))
        self.assertIn(self.preview(cron="* * * * *", every_seconds=5).status, (400, 422))

    def test_it_is_fast(self) -> None:
        """Ten fires in 5 ms; a cron that never fires is refused in 10 ms. Against an empty request of the same connection."""
        def best(act) -> float:
            times = []
            for _ in range(20):
                began = time.perf_counter()
                act()
                times.append(time.perf_counter() - began)
            return sorted(times)[10]
        idle = best(lambda: self.client.get("/healthz"))
        self.assertLess(best(lambda: self.preview(cron="0 0 29 2 *", timezone="America/New_York")) - idle, 0.005)
        self.assertLess(best(lambda: self.preview(cron="0 0 30W 2 *")) - idle, 0.010)


def document(name: str, steps=None, **config) -> dict:
    return {"name": name, "triggers": [{"id": "clock", "trigger_type": "schedule", "trigger_config": config}], "steps": steps or [step("a", "noop", {"output": 1})],
            "output": "{{ input }}"}


class FiringTest(ServerTest):
    def fires(self, workflow: dict) -> list:
        return self.client.get(f"/api/schedules/{workflow['id']}/clock/fires/").json["results"]

    def until_fires(self, workflow: dict, count: int) -> list:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            found = self.fires(workflow)
            if len(found) >= count:
                return found
        self.fail(f"{count} ticks never came: {found}")

    def test_each_tick_starts_one_execution(self) -> None:
        workflow = self.create(document("Each", every_seconds=1, input={"who": "ada"}, overlap="allow"))
        found = self.until_fires(workflow, 3)
        self.client.post(f"/api/workflows/{workflow['id']}/disable/")
        found = self.fires(workflow)
        ticks = [parse(row["tick"]) for row in found]
        self.assertEqual([a - b for a, b in zip(ticks, ticks[1:])], [1.0] * (len(ticks) - 1))
        self.assertTrue(all(0 <= parse(row["decided_at"]) - parse(row["tick"]) < 0.5 for row in found), found)
        done = self.wait_for({"id": found[0]["execution_id"]}, "completed")
        self.assertEqual((done["trigger"], done["labels"], done["workflow_version"]), ("schedule", {"schedule": "clock"}, 1))
        at = parse(done["output"]["scheduled_at"])
        self.assertEqual((done["output"]["who"], parse(done["output"]["previous_at"]), parse(done["output"]["next_at"]), at), ("ada", at - 1, at + 1, ticks[0]))
        self.assertEqual(self.client.get(f"/api/executions/?workflow={workflow['id']}").json["count"], len(found))
        self.assertEqual(self.client.get(f"/api/schedules/?workflow={workflow['id']}").json["results"], [])

    def test_the_command_line_tells_the_same(self) -> None:
        workflow = self.create(document("Told", every_seconds=1, overlap="allow"))
        self.until_fires(workflow, 1)
        self.client.post(f"/api/workflows/{workflow['id']}/disable/")
        self.client.post(f"/api/workflows/{workflow['id']}/enable/")
        self.assertIn("Told", self.command("schedule", "list"))
        self.assertIn("fired", self.command("schedule", "fires", "Told"))
        self.assertEqual(json.loads(self.command("schedule", "preview", "0 6 * * *", "--timezone", "Asia/Kathmandu", "--count", "1", "-o", "json"))[0]["local"][11:], "06:00:00+05:45")
        self.client.post(f"/api/workflows/{workflow['id']}/disable/")
        self.assertIn("no published workflow Told", self.command("schedule", "fires", "Told", status=3))
        self.assertIn("minute field", self.command("schedule", "preview", "61 * * * *", status=2))
        self.create({"name": "Heard", "triggers": [{"id": "h", "trigger_type": "webhook", "trigger_config": {"path": "heard", "methods": ["GET", "POST"]}}], "steps": [step("a", "noop")]})
        self.client.call("POST", "/hooks/heard", {}, check=False)
        self.assertIn("GET,POST", self.command("webhook", "list"))
        self.assertIn("triggered", self.command("webhook", "requests", "Heard"))

    def command(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run([BIN, *arguments], capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin", "FLOWPILOT_ADDRESS": f"http://127.0.0.1:{self.server.port}"})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_draft_that_is_saved_moves_no_tick(self) -> None:
        workflow = self.create(document("Steady", cron="0 6 1 1 *", timezone="Europe/Berlin"))
        at = f"/api/workflows/{workflow['id']}/"
        listed = self.client.get(f"/api/schedules/?workflow={workflow['id']}").json["results"][0]
        self.assertEqual((listed["next_at"][4:], listed["last_tick_at"], listed["overlap"]), ("-01-01T05:00:00.000Z", None, "skip"))
        self.client.call("PUT", at, document("Steady", cron="0 7 1 1 *"), {"If-Match": self.client.get(at).headers["ETag"]})
        self.assertEqual(self.client.get(f"/api/schedules/?workflow={workflow['id']}").json["results"], [listed])
        self.client.post(f"{at}publish/")
        self.assertEqual(self.client.get(f"/api/schedules/?workflow={workflow['id']}").json["results"][0]["next_at"][4:], "-01-01T07:00:00.000Z")

    def test_overlap(self) -> None:
        waits = [step("w", "wait_signal", {"name": "go"})]
        skipping = self.create(document("Skip", waits, every_seconds=1))
        queueing = self.create(document("Queue", waits, every_seconds=1, overlap="queue_one"))
        cancelling = self.create(document("Cancel", waits, every_seconds=1, overlap="cancel_running"))
        found = self.until_fires(skipping, 3)
        self.assertEqual([row["outcome"] for row in found[-3:]], ["skipped", "skipped", "fired"])
        self.assertIn("still under way", found[0]["reason"])
        self.until_fires(cancelling, 3)
        statuses = [row["status"] for row in self.client.get(f"/api/executions/?workflow={cancelling['id']}").json["results"]]
        self.assertEqual(statuses[-1], "cancelled")
        first = self.until_fires(queueing, 1)
        self.assertEqual(len(self.fires(queueing)), 1, "the others wait")
        self.assertTrue(self.client.get(f"/api/schedules/?workflow={queueing['id']}").json["results"][0]["waits"])
        self.client.post(f"/api/executions/{first[0]['execution_id']}/signals/go/", {})
        rows = self.until_fires(queueing, 3)
        self.assertEqual({row["outcome"] for row in rows}, {"fired", "merged"})
        self.assertEqual(sum(row["outcome"] == "fired" for row in rows), 2)
        for workflow in (skipping, queueing, cancelling):
            self.client.post(f"/api/workflows/{workflow['id']}/disable/")

    def test_a_workflow_that_asks_for_more_says_why_it_is_skipped(self) -> None:
        workflow = self.create({**document("Asks", every_seconds=1), "inputs": {"type": "object", "required": ["email"]}})
        self.assertIn("email", self.until_fires(workflow, 1)[0]["reason"])


class DowntimeTest(unittest.TestCase):
    """Servers at other times: a clock of their own (libfaketime), which goes on as ours does."""

    def serve(self, at: str) -> Server:
        server = Server(self.folder / "data", env={"LD_PRELOAD": FAKETIME, "FAKETIME": f"@{at}", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "TZ": "UTC"})
        self.addCleanup(server.stop)
        self.client = server.client()
        self.addCleanup(self.client.close)
        return server

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="flowpilot-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def rows(self, workflow: str) -> list:
        return [(row["tick"][5:16], row["outcome"]) for row in reversed(self.client.get(f"/api/schedules/{workflow}/clock/fires/").json["results"])]

    def until(self, workflow: str, expected: list) -> None:
        ends = time.monotonic() + 20
        while self.rows(workflow) != expected and time.monotonic() < ends:
            pass
        self.assertEqual(self.rows(workflow), expected)

    def test_days_of_downtime_under_each_policy(self) -> None:
        server = self.serve("2026-03-02 12:00:00")
        made = {}
        for name, config in (("skip", {}), ("latest", {"catch_up": "latest"}), ("all", {"catch_up": "all", "catch_up_max": 2})):
            one = self.client.post("/api/workflows/", document(name, cron="0 6 * * *", overlap="allow", **config)).json["id"]
            self.client.post(f"/api/workflows/{one}/publish/")
            made[name] = one
        self.assertEqual(self.client.get("/api/schedules/").json["results"][0]["next_at"], "2026-03-03T06:00:00.000Z")
        server.stop(signal.SIGKILL)
        server = self.serve("2026-03-06 12:00:00")
        self.until(made["skip"], [("03-06T06:00", "missed")])
        self.until(made["latest"], [("03-05T06:00", "missed"), ("03-06T06:00", "late")])
        self.until(made["all"], [("03-04T06:00", "missed"), ("03-05T06:00", "late"), ("03-06T06:00", "late")])
        missed = self.client.get(f"/api/schedules/{made['skip']}/clock/fires/").json["results"][0]
        self.assertIn("4 ticks", missed["reason"])
        before = self.client.get("/api/executions/").json["count"]
        server.stop(signal.SIGKILL)
        # The clock is put back two days, then forward to where it was: nothing fires twice.
        server = self.serve("2026-03-04 05:59:59")
        server.stop()
        server = self.serve("2026-03-06 12:00:10")
        self.assertEqual((self.rows(made["latest"])[-1], self.client.get("/api/executions/").json["count"]), (("03-06T06:00", "late"), before))
        server.stop()

    def test_a_server_killed_all_the_time_fires_each_tick_once(self) -> None:
        server = self.serve("2026-03-02 12:00:00")
        one = self.client.post("/api/workflows/", document("Often", every_seconds=1, overlap="allow", catch_up="all")).json["id"]
        self.client.post(f"/api/workflows/{one}/publish/")
        for second in range(1, 6):
            ends = time.monotonic() + 20
            while len(self.rows(one)) < 2 * second and time.monotonic() < ends:
                pass
            server.stop(signal.SIGKILL)
            server = self.serve(f"2026-03-02 12:00:{10 * second}")
        self.client.post(f"/api/workflows/{one}/disable/")
        rows = self.client.get(f"/api/schedules/{one}/clock/fires/").json["results"]
        ticks = sorted(parse(row["tick"]) for row in rows)
        self.assertEqual([b - a for a, b in zip(ticks, ticks[1:])], [1.0] * (len(ticks) - 1), "each second has its row")
        self.assertEqual({row["outcome"] for row in rows}, {"fired"})
        self.assertEqual(self.client.get(f"/api/executions/?workflow={one}").json["count"], len(rows))
        server.stop()


if __name__ == "__main__":
    unittest.main()
