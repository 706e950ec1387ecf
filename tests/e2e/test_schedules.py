"""Schedules over HTTP: when they would fire, and mistakes in them."""
import datetime
import glob
import json
import os
import random
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

    def control(self, workflow: dict, what: str, body=None, **options):
        return self.client.post(f"/api/schedules/{workflow['id']}/clock/{what}/", body, **options)

    def shown(self, workflow: dict) -> dict:
        return self.client.get(f"/api/schedules/?workflow={workflow['id']}").json["results"][0]

    def test_once(self) -> None:
        at = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=2)
        workflow = self.create(document("Once", at=at.isoformat()))
        row = self.until_fires(workflow, 1)[0]
        self.assertEqual((row["outcome"], parse(row["tick"])), ("fired", at.timestamp()))
        self.assertIsNone(self.shown(workflow)["next_at"])
        for config in ({"at": "soon"}, {"at": at.isoformat(), "cron": "* * * * *"}):
            self.assertEqual(self.client.post("/api/workflows/", document("Wrong", **config)).status, 422)
        self.assertEqual(self.client.post("/api/schedules/preview/", {"at": "2030-01-01T12:00:00Z", "timezone": "Asia/Kathmandu"}).json["results"],
                         [{"at": "2030-01-01T12:00:00.000Z", "local": "2030-01-01T17:45:00+05:45", "note": None}])

    def test_paused_until_somebody_resumes_it(self) -> None:
        workflow = self.create(document("Paused", every_seconds=1, overlap="allow"))
        self.until_fires(workflow, 1)
        shown = self.control(workflow, "pause", {"note": "the shop is closed"}).json
        self.assertEqual((shown["paused"]["note"], shown["paused"]["by"], shown["next_at"]), ("the shop is closed", "local", None))
        count = len(self.fires(workflow))
        at = f"/api/workflows/{workflow['id']}/"
        self.client.call("PUT", at, document("Paused", every_seconds=1, overlap="skip"), {"If-Match": self.client.get(at).headers["ETag"]})
        self.client.post(f"{at}publish/")
        self.assertEqual(self.shown(workflow)["paused"], shown["paused"], "a new version changes nothing about it")
        self.assertEqual(self.client.get("/metrics", check=False).body.count(b"flowpilot_schedules_paused 1"), 1)
        ends = time.monotonic() + 10
        while time.time() < parse(shown["paused"]["at"]) + 2.1 and time.monotonic() < ends:
            self.client.get("/healthz")
        self.assertEqual(len(self.fires(workflow)), count, "nothing came meanwhile")
        self.assertIsNone(self.control(workflow, "resume").json["paused"])
        rows = self.until_fires(workflow, count + 2)
        self.assertEqual([row["outcome"] for row in rows[:2]], ["fired", "skipped"])
        self.assertIn("2 ticks came while the schedule was paused", rows[1]["reason"])
        self.assertEqual(self.client.post(f"/api/schedules/{workflow['id']}/other/pause/").status, 404)
        self.client.post(f"{at}disable/")

    def test_started_now(self) -> None:
        workflow = self.create(document("Now", [step("w", "wait_signal", {"name": "go"})], cron="0 6 1 1 *", input={"who": "ada"}))
        self.control(workflow, "pause")
        first = self.control(workflow, "trigger", headers={"Idempotency-Key": "k"})
        again = self.control(workflow, "trigger", headers={"Idempotency-Key": "k"})
        self.assertEqual((first.status, again.status, first.json["id"]), (202, 202, again.json["id"]))
        other = self.control(workflow, "trigger")
        rows = self.fires(workflow)
        self.assertEqual([(row["outcome"], row["execution_id"]) for row in rows], [("manual", other.json["id"]), ("manual", first.json["id"])])
        self.assertEqual((first.json["input"]["who"], first.json["input"]["scheduled_at"], first.json["labels"]), ("ada", rows[1]["tick"], {"schedule": "clock"}))

    def test_failures_in_a_row_pause_it(self) -> None:
        workflow = self.create(document("Fails", [step("f", "fail", {"message": "no"})], every_seconds=1, overlap="allow", pause_after_failures=2))
        ends = time.monotonic() + 20
        while not self.shown(workflow)["paused"] and time.monotonic() < ends:
            pass
        paused = self.shown(workflow)["paused"]
        rows = [row for row in self.fires(workflow) if row["execution_id"]]
        self.assertEqual(paused["by"], "flowpilot")
        self.assertIn(paused["execution_id"], [row["execution_id"] for row in rows])
        self.assertEqual(paused["note"], f"2 executions in a row failed, the last is {paused['execution_id']}")
        self.assertLessEqual(len(rows), 3)
        self.control(workflow, "resume")
        self.control(workflow, "trigger")
        self.assertIsNone(self.shown(workflow)["paused"], "it counts anew")
        self.client.post(f"/api/workflows/{workflow['id']}/disable/")

    def test_a_range_of_the_past_is_filled(self) -> None:
        workflow = self.create(document("Fill", cron="0 * * * *", timezone="Europe/Berlin"))
        range_ = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-01T05:30:00Z"}
        plan = self.control(workflow, "backfill", {**range_, "dry_run": True})
        self.assertEqual((plan.status, plan.json["status"], plan.json["count"], plan.json["first"], plan.json["last"]),
                         (200, "dry_run", 6, "2026-03-01T00:00:00.000Z", "2026-03-01T05:00:00.000Z"))
        self.assertEqual(self.fires(workflow), [])

        def fill(body: dict) -> dict:
            job = self.control(workflow, "backfill", body)
            self.assertEqual(job.status, 202, job.body)
            ends = time.monotonic() + 30
            while job.json["status"] == "running" and time.monotonic() < ends:
                job = self.client.get(f"/api/schedules/backfills/{job.json['id']}/")
            return job.json
        done = fill(range_)
        self.assertEqual((done["status"], done["done"], done["started"]), ("completed", 6, 6))
        rows = self.fires(workflow)
        self.assertEqual([(row["tick"][11:16], row["outcome"]) for row in rows], [(f"0{hour}:00", "backfilled") for hour in range(5, -1, -1)])
        one = self.wait_for({"id": rows[0]["execution_id"]}, "completed")
        self.assertEqual((one["output"], one["labels"]), ({"scheduled_at": "2026-03-01T05:00:00.000Z", "previous_at": "2026-03-01T04:00:00.000Z", "next_at": "2026-03-01T06:00:00.000Z"},
                                                          {"schedule": "clock", "backfill": done["id"]}))
        again = fill({"from": "2026-02-28T23:00:00Z", "until": "2026-03-01T05:00:00Z", "overlap": "allow"})
        self.assertEqual((again["count"], again["started_before"], again["started"]), (1, 6, 1), "each tick once")
        self.assertEqual(self.client.get(f"/api/executions/?workflow={workflow['id']}").json["count"], 7)
        self.assertEqual(self.shown(workflow)["next_at"][14:], "00:00.000Z", "the clock goes on")
        for body, code in (({"from": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "field.range"), ({"from": "2026-03-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}, "field.range"),
                           ({"from": "2020-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "schedule.backfill_size"), ({"from": "soon", "until": "2026-01-01T00:00:00Z"}, None)):
            refused = self.control(workflow, "backfill", body)
            self.assertGreaterEqual(refused.status, 400)
            if code:
                self.assertEqual(refused.code, code)

    def test_the_next_hours_at_a_glance(self) -> None:
        workflow = self.create(document("Glance", cron="*/15 * * * *"))
        hours = self.client.get("/api/schedules/calendar/?hours=24").json
        self.assertTrue(hours["is_whole"])
        mine = [[one["count"] for one in hour["schedules"] if one["workflow"] == workflow["id"]] for hour in hours["results"]]
        self.assertEqual((len(mine), mine[1:]), (24, [[4]] * 23))
        self.assertTrue(all(hour["count"] >= 4 for hour in hours["results"][1:]))
        self.control(workflow, "pause")
        self.assertNotIn(workflow["id"], json.dumps(self.client.get("/api/schedules/calendar/").json))

    def test_the_command_line_controls_them(self) -> None:
        workflow = self.create(document("Told too", cron="0 6 1 1 *"))
        self.assertIn("closed", self.command("schedule", "pause", "Told too", "--note", "closed"))
        self.assertIn("closed", self.command("schedule", "list"))
        self.command("schedule", "resume", "Told too", "clock")
        self.assertNotIn("closed", self.command("schedule", "list"))
        self.assertIn("execution", self.command("schedule", "trigger", "Told too"))
        told = json.loads(self.command("schedule", "backfill", workflow["id"], "--from", "2020-01-01T00:00:00Z", "--until", "2026-01-01T12:00:00Z", "--dry-run", "-o", "json"))
        self.assertEqual((told["count"], told["first"]), (7, "2020-01-01T06:00:00.000Z"))

    def test_a_workflow_that_asks_for_more_says_why_it_is_skipped(self) -> None:
        workflow = self.create({**document("Asks", every_seconds=1), "inputs": {"type": "object", "required": ["email"]}})
        self.assertIn("email", self.until_fires(workflow, 1)[0]["reason"])
        self.assertEqual(self.control(workflow, "trigger").code, "input.invalid")


class LimitTest(unittest.TestCase):
    """A server that wants ten seconds between two ticks, and what is refused when it is saved."""

    def test_schedules_that_fire_too_often_are_refused(self) -> None:
        with tempfile.TemporaryDirectory(prefix="flowpilot-e2e-") as folder:
            server = Server(Path(folder) / "data", "--minimum-schedule-seconds", "10")
            client = server.client()
            for config, field in (({"cron": "* * * * * *"}, "cron"), ({"cron": "0,5 0 6 * * *"}, "cron"), ({"cron": "0,55 0,59 * * * *"}, "cron"), ({"every_seconds": 9}, "every_seconds")):
                for path in ("/api/workflows/", "/api/workflows/validate/"):
                    reply = client.post(path, document("Often", **config), check=False).json
                    issues = reply.get("errors") or reply.get("issues") or []
                    self.assertEqual([(issue["code"], issue["pointer"]) for issue in issues], [("cron.too_frequent", f"/triggers/0/trigger_config/{field}")], (path, reply))
            draft = client.post("/api/workflows/?allow_invalid=true", document("Often", every_seconds=9)).json
            self.assertEqual(client.post(f"/api/workflows/{draft['id']}/publish/").code, "workflow.invalid")
            for config in ({"cron": "*/10 * * * * *"}, {"cron": "* * * * *"}, {"every_seconds": 10}, {"at": "2030-01-01T00:00:00Z"}):
                self.assertEqual(client.post("/api/workflows/", document("Fine", **config)).status, 201, config)
            self.assertEqual(client.get("/api/limits/").json["minimum_schedule_seconds"]["value"], 10)
            client.close()
            server.stop()

    def test_a_cron_that_never_fires_is_refused_at_once_when_it_is_saved(self) -> None:
        with tempfile.TemporaryDirectory(prefix="flowpilot-e2e-") as folder:
            server = Server(Path(folder) / "data")
            client = server.client()

            def save(cron: str) -> float:
                began = time.perf_counter()
                self.assertEqual([issue["code"] for issue in client.post("/api/workflows/", document("Never", cron=cron), check=False).json["errors"]], ["cron.never_fires"])
                return time.perf_counter() - began
            for cron in ("0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31W 2 *"):
                best = sorted(save(cron) for _ in range(10))[5]
                print(f"{cron}: refused in {best * 1000:.1f} ms")
                self.assertLess(best, 0.010)
            client.close()
            server.stop()


class DowntimeTest(unittest.TestCase):
    """Servers at other times: a clock of their own (libfaketime), which goes on as ours does."""

    def serve(self, at: str, **env: str) -> Server:
        server = Server(self.folder / "data", env={"LD_PRELOAD": FAKETIME, **({"FAKETIME": f"@{at}"} if at else {}), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "TZ": "UTC", **env})
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

    def until_next(self, workflow: str, expected: str) -> None:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            shown = self.client.get(f"/api/schedules/?workflow={workflow}").json["results"][0]["next_at"]
            if shown == expected:
                return
        self.fail(f"next is {shown}, not {expected}")

    def test_the_clock_jumps_while_the_server_runs(self) -> None:
        """F80: an hour ahead, a year ahead, and back, twice."""
        clock = self.folder / "clock"

        def jump(to: str) -> None:
            fresh = clock.with_suffix(".new")
            fresh.write_text(f"{parse(to) - time.time():+.3f}\n")
            fresh.replace(clock)
        jump("2026-03-02T12:59:59Z")
        server = self.serve("", FAKETIME_TIMESTAMP_FILE=str(clock))
        one = self.client.post("/api/workflows/", document("Hourly", [step("s", "set", {"values": {}})], cron="0 * * * *", overlap="allow")).json["id"]
        self.client.post(f"/api/workflows/{one}/publish/")
        expected = [("03-02T13:00", "fired")]
        self.until(one, expected)
        jump("2026-03-02T14:30:00Z")
        expected += [("03-02T14:00", "missed")]
        self.until(one, expected)
        jump("2027-03-02T14:59:59Z")
        expected += [("03-02T14:00", "missed"), ("03-02T15:00", "fired")]
        self.until(one, expected)
        jump("2026-03-02T14:59:59Z")
        expected.insert(2, ("03-02T15:00", "fired"))
        self.until(one, expected)
        jump("2026-03-02T12:59:57Z")
        self.until_next(one, "2026-03-02T13:00:00.000Z")
        self.until_next(one, "2026-03-02T14:00:00.000Z")
        jump("2026-03-02T15:30:00Z")
        self.until_next(one, "2026-03-02T16:00:00.000Z")
        self.assertEqual(self.rows(one), expected, "what it goes through again is decided")
        server.stop(signal.SIGKILL)
        jump("2026-03-02T15:59:59Z")
        server = self.serve("", FAKETIME_TIMESTAMP_FILE=str(clock))
        expected.insert(3, ("03-02T16:00", "fired"))
        self.until(one, expected)
        self.assertEqual(self.client.get(f"/api/executions/?workflow={one}").json["count"], sum(outcome == "fired" for _, outcome in expected))
        server.stop()

    def test_killed_at_the_commit_of_a_tick(self) -> None:
        """F83: before the row and its execution are on disk, and after that but before the schedule goes on."""
        for round_, (point, hit) in enumerate((point, hit) for point in ("commit.before", "commit.after") for hit in (3, 4, 6)):
            with self.subTest(point=point, hit=hit):
                begin = f"2026-03-0{round_ + 1} 12:00:"
                with tempfile.TemporaryDirectory(prefix="flowpilot-e2e-") as folder:
                    self.folder = Path(folder)
                    server = self.serve(f"{begin}00", FLOWPILOT_FAILPOINTS=f"{point}:kill@{hit}")
                    one = self.client.post("/api/workflows/", document("Often", [step("s", "set", {"values": {}})], every_seconds=1, overlap="allow", catch_up="all")).json["id"]
                    self.client.post(f"/api/workflows/{one}/publish/")
                    self.assertEqual(server.process.wait(timeout=30), -signal.SIGKILL)
                    server = self.serve(f"{begin}10")
                    ends = time.monotonic() + 20
                    while len(self.rows(one)) < 12 and time.monotonic() < ends:
                        pass
                    self.client.post(f"/api/workflows/{one}/disable/")
                    rows = self.client.get(f"/api/schedules/{one}/clock/fires/").json["results"]
                    ticks = sorted(parse(row["tick"]) for row in rows)
                    self.assertEqual([b - a for a, b in zip(ticks, ticks[1:])], [1.0] * (len(ticks) - 1), "each second has its row")
                    self.assertEqual((len(rows) >= 12, self.client.get(f"/api/executions/?workflow={one}").json["count"]), (True, len(rows)))
                    server.stop()

    def test_the_engine_fires_what_the_preview_tells(self) -> None:
        """Random schedules around a change of clocks, days in seconds; every tick has one row, and the preview told it."""
        seed = int(os.environ.get("FLOWPILOT_SEED", random.randrange(10**6)))
        choose = random.Random(seed).choice
        self.serve("2026-03-27 12:00:00 x40000")
        made = {}
        for number in range(40):
            config = {"timezone": choose(("UTC", "Europe/Berlin", "America/New_York", "Africa/Casablanca", "Asia/Kathmandu")), "missing_hour": choose(("shift", "skip")), "catch_up": "all", "catch_up_max": 10_000, "overlap": "allow"}
            if number % 5 == 0:
                config["every_seconds"] = choose((7200, 10_007, 86_400))
            else:
                config["cron"] = f"{choose(('0', '30', '7,59'))} {choose(('2', '1-3', '*/6', '0,23'))} {choose(('*', '*', '28-31', 'L'))} * {choose(('*', '*', 'MON-FRI', 'SUN'))}"
            made[self.client.post("/api/workflows/", document(f"Random {number}", [step("s", "set", {"values": {}})], **config)).json["id"]] = config
        for one in made:
            self.client.post(f"/api/workflows/{one}/publish/")
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            nexts = [row["next_at"] for row in self.client.get("/api/schedules/").json["results"]]
            if min(nexts) > "2026-04-02":
                break
        compared = 0
        for one, config in made.items():
            self.client.post(f"/api/workflows/{one}/disable/")
            rows = self.client.get(f"/api/schedules/{one}/clock/fires/").json["results"][::-1]
            self.assertLessEqual({row["outcome"] for row in rows}, {"fired", "late"}, f"seed {seed}")
            if not rows:
                continue
            asked = {name: value for name, value in config.items() if name in ("cron", "every_seconds", "timezone", "missing_hour")}
            before = datetime.datetime.fromtimestamp(parse(rows[0]["tick"]) - 1, datetime.timezone.utc).isoformat()
            told = self.client.post("/api/schedules/preview/", {**asked, "after": before, "count": len(rows)}).json["results"]
            self.assertEqual([row["tick"] for row in rows], [tick["at"] for tick in told], f"seed {seed}: {config}")
            compared += len(rows)
        print(f"{compared} ticks of 40 schedules as the preview told (seed {seed})")
        self.assertGreater(compared, 200)

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
        # The clock is put back, goes through a tick again, then forward to where it was: nothing fires twice.
        server = self.serve("2026-03-06 05:59:59")
        self.until_next(made["latest"], "2026-03-07T06:00:00.000Z")
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
