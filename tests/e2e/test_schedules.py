"""Schedules over HTTP: when they would fire, and mistakes in them."""
import time
import unittest

from harness import ServerTest


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


if __name__ == "__main__":
    unittest.main()
