"""Workers, spoken to in the protocol itself (docs/reference/worker-protocol.md): no SDK in between."""
import threading
import unittest

from harness import Client, Server, ServerTest, step

LEASE_SECONDS = 1


class Worker:
    """A worker by hand: every call is one the test wants."""

    def __init__(self, server: Server, name: str = "hand", functions=("demo.echo",), slots: int = 8, pid: int = 1, **more) -> None:
        self.token = (server.data / "worker-token").read_text(encoding="utf-8").strip()
        self.client = Client(server.port)
        types = [function if isinstance(function, dict) else {"type": function} for function in functions]
        self.registration = {"name": name, "slots": slots, "pid": pid, "host": "test", "task_types": types, **more}
        reply = self.post("/api/workers/", self.registration)
        assert reply.status == 201, reply.body
        self.id = reply.json["worker_id"]

    def post(self, path: str, body, token=None):
        return self.client.post(path, body, headers={"Authorization": f"Bearer {self.token if token is None else token}"})

    def exchange(self, **body) -> dict:
        reply = self.post(f"/api/workers/{self.id}/exchange/", body)
        assert reply.status == 200, reply.body
        return reply.json

    def take(self, max: int = 1, wait: float = 20) -> list:
        return self.exchange(max=max, wait_seconds=wait)["leases"]

    def close(self) -> None:
        self.client.call("DELETE", f"/api/workers/{self.id}/")
        self.client.close()


class WorkersTest(ServerTest):
    arguments = ("--allow-address", "127.0.0.1", "--lease-seconds", str(LEASE_SECONDS))

    def setUp(self) -> None:
        super().setUp()
        self.echo = f"{self._testMethodName[:40]}.echo"  # so that nothing another test left is taken for this one's

    def worker(self, **options) -> Worker:
        worker = Worker(self.server, **{"functions": [self.echo], **options})
        self.addCleanup(worker.close)
        return worker

    def workflow(self, *steps, **more) -> dict:
        return self.create({"name": "W", "steps": list(steps) or [step("a", self.echo, {"n": 1})], **more})

    def start(self, workflow: dict, **body) -> dict:
        return self.run_workflow(workflow, wait=0, **body)

    def keep_alive(self, lease: str) -> Worker:
        """Renews it from a connection of its own, until the test ends."""
        beating, done = self.worker(name="beats", pid=9), threading.Event()

        def beat() -> None:
            client = Client(self.server.port)
            while not done.wait(LEASE_SECONDS / 4):
                client.post("/api/leases/heartbeat/", [{"lease": lease}], headers={"Authorization": f"Bearer {beating.token}"})
            client.close()

        thread = threading.Thread(target=beat)
        thread.start()
        self.addCleanup(lambda: (done.set(), thread.join()))
        return beating

    # ---- who may

    def test_without_the_token_nothing_is_given(self) -> None:
        worker = self.worker()
        for token in ("", "fpw_wrong", worker.token + "x", worker.token[:-1]):
            for path, body in (("/api/workers/", worker.registration), (f"/api/workers/{worker.id}/exchange/", {}),
                               (f"/api/workers/{worker.id}/lease/", {"max": 1}), ("/api/leases/heartbeat/", []), ("/api/leases/x/complete/", {"result": 1})):
                reply = worker.post(path, body, token=token)
                self.assertEqual((reply.status, reply.code), (401, "auth.token"), path)
        self.assertEqual((self.server.data / "worker-token").stat().st_mode & 0o777, 0o600)

    def test_bad_registrations_are_refused_with_pointers(self) -> None:
        worker = self.worker()
        for function, pointer in (({"type": "noop"}, "/task_types/0/type"), ({"type": "Orders.Charge"}, "/task_types/0/type"),
                                  ({"type": "a.b", "config_schema": {"type": "banana"}}, "/task_types/0/config_schema/type"),
                                  ({"type": "a.b", "step_defaults": {"retry_config": {"max_attempts": 0}}}, "/task_types/0/step_defaults/retry_config/max_attempts"),
                                  ({"type": "a.b", "colour": "red"}, "/task_types/0/colour"), ({}, "/task_types/0")):
            reply = worker.post("/api/workers/", {**worker.registration, "task_types": [function]})
            self.assertEqual(reply.status, 422, function)
            self.assertIn(pointer, [error["pointer"] for error in reply.json["errors"]])

    # ---- the way of one attempt

    def test_a_function_is_a_step(self) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer", "default": 3}}, "required": ["n"]}
        worker = self.worker(functions=[{"type": "demo.sum", "title": "Sum", "config_schema": schema, "step_defaults": {"timeout_seconds": 7, "retry_config": {"max_attempts": 4}}}])
        shown = self.client.get("/api/task-types/demo.sum/").json
        self.assertEqual((shown["title"], shown["source"], shown["workers"], shown["defaults"]), ("Sum", "function", 1, {"n": 3}))
        refused = self.client.post("/api/workflows/", {"name": "W", "steps": [step("a", "demo.sum", {"n": "x"})]})
        self.assertEqual((refused.status, refused.json["errors"][0]["pointer"]), (422, "/steps/0/config/n"))
        execution = self.start(self.workflow(step("a", "demo.sum", {"n": "{{ input.n }}"}), output="{{ steps.a.output }}"), input={"n": 20})
        lease, = worker.take()
        self.assertEqual((lease["step"], lease["config"], lease["attempt"], lease["timeout_seconds"], lease["index"]), ("a", {"n": 20}, 1, 7, None))
        self.assertEqual(lease["execution_id"], execution["id"])
        answer = worker.exchange(logs=[{"lease": lease["lease"], "lines": [{"level": "warning", "text": "half way"}]}], results=[{"lease": lease["lease"], "result": {"sum": 21}}])
        self.assertEqual(answer["acknowledged"], [lease["lease"]])
        done = self.wait_for(execution, "completed")
        self.assertEqual(done["output"], {"sum": 21})
        lines = self.client.get(f"/api/executions/{execution['id']}/logs/").json["results"]
        self.assertEqual([(line["level"], line["text"]) for line in lines], [("warning", "half way")])
        again = worker.exchange(results=[{"lease": lease["lease"], "result": {"sum": 0}}])
        self.assertEqual(again["acknowledged"], [lease["lease"]], "saying it again is harmless")

    def test_acknowledged_is_on_disk(self) -> None:
        worker = self.worker()
        execution = self.start(self.workflow(step("a", self.echo), step("b", self.echo, depends_on=["a"])))
        first, = worker.take()
        answer = worker.exchange(results=[{"lease": first["lease"], "result": 1}], max=1)
        self.assertEqual([lease["step"] for lease in answer["leases"]], ["b"], "the answer brings what follows")
        tasks = {task["step"]: task for task in self.client.get(f"/api/executions/{execution['id']}/").json["tasks"]}
        self.assertEqual((tasks["a"]["status"], tasks["a"]["result"]), ("completed", 1))
        worker.exchange(results=[{"lease": answer["leases"][0]["lease"], "result": 2}])

    def test_failures_are_retried_with_the_same_key_and_end_with_their_error(self) -> None:
        worker = self.worker()
        retry = {"max_attempts": 3, "initial_delay_seconds": 0.01, "jitter": False}
        execution = self.start(self.workflow(step("a", self.echo, retry_config=retry)))
        keys = []
        for attempt in (1, 2, 3):
            lease, = worker.take()
            keys.append(lease["idempotency_key"])
            self.assertEqual(lease["attempt"], attempt)
            error = {"code": "python.exception", "message": "ValueError: no", "retryable": True, "details": {"type": "ValueError", "traceback": "..."}}
            if attempt == 2:
                self.assertEqual(worker.post(f"/api/leases/{lease['lease']}/fail/", {"error": error}).json, {"acknowledged": True})
            else:
                worker.exchange(failures=[{"lease": lease["lease"], "error": error}])
        done = self.wait_for(execution, "failed")
        self.assertEqual(len(set(keys)), 1)
        self.assertEqual((done["error"]["code"], done["tasks"][0]["error"]["details"]["type"]), ("python.exception", "ValueError"))

    def test_a_silent_worker_loses_its_lease_and_a_late_result_is_not_applied(self) -> None:
        lazy, busy = self.worker(name="lazy", pid=2), self.worker(name="busy", pid=3)
        execution = self.start(self.workflow())
        first, = lazy.take()
        lazy.exchange(heartbeats=[{"lease": first["lease"], "details": {"page": 4}}])
        second, = busy.take()
        self.assertEqual((second["attempt"], second["idempotency_key"], second["last_details"]), (2, first["idempotency_key"], {"page": 4}))
        late = lazy.exchange(results=[{"lease": first["lease"], "result": "late"}])
        self.assertEqual((late["lost"], late["acknowledged"]), ([first["lease"]], []))
        self.assertEqual(lazy.post(f"/api/leases/{first['lease']}/complete/", {"result": "late"}).code, "lease.lost")
        busy.exchange(results=[{"lease": second["lease"], "result": "mine"}])
        self.assertEqual(self.wait_for(execution, "completed")["tasks"][0]["result"], "mine")

    def test_heartbeats_keep_a_lease(self) -> None:
        worker = self.worker()
        execution = self.start(self.workflow())
        lease, = worker.take()
        beating = self.keep_alive(lease["lease"])
        # As long as three leases: nobody else gets the attempt.
        self.assertEqual(beating.take(wait=LEASE_SECONDS * 3), [])
        self.assertEqual(worker.post(f"/api/leases/{lease['lease']}/complete/", {"result": "slow"}).status, 200)
        self.assertEqual(self.wait_for(execution, "completed")["tasks"][0]["retry_count"], 0)

    def test_an_attempt_waits_as_long_as_there_is_no_worker(self) -> None:
        worker = self.worker(functions=["demo.rare"])
        workflow = self.workflow(step("a", "demo.rare", timeout_seconds=1))
        worker.close()
        execution = self.start(workflow)
        other = self.workflow(step("a", "noop"))
        self.assertEqual(self.run_workflow(other)["status"], "completed", "nobody else waits for it")
        queue = next(row for row in self.client.get("/api/queues/").json["results"] if row["step_type"] == "demo.rare")
        self.assertEqual((queue["waiting"], queue["workers"]), (1, 0))
        # Longer than a lease and than the step's own time-out.
        self.assertEqual(self.worker(pid=5).take(wait=LEASE_SECONDS + 1), [])
        later = self.worker(functions=["demo.rare"], pid=6)
        lease, = later.take()
        later.exchange(results=[{"lease": lease["lease"], "result": None}])
        self.assertEqual(self.wait_for(execution, "completed")["tasks"][0]["retry_count"], 0)

    def test_a_worker_that_leaves_gives_its_attempts_back_at_once(self) -> None:
        leaving, staying = self.worker(name="leaving", pid=2), self.worker(name="staying", pid=3, slots=1)
        self.start(self.workflow())
        self.assertEqual(len(leaving.take()), 1)
        self.client.call("DELETE", f"/api/workers/{leaving.id}/")
        lease, = staying.take(wait=LEASE_SECONDS / 2)
        self.assertEqual(lease["attempt"], 2)
        staying.exchange(results=[{"lease": lease["lease"], "result": 1}])
        self.assertEqual(leaving.post(f"/api/workers/{leaving.id}/exchange/", {}).code, "worker.unknown")

    def test_cancelling_tells_the_worker(self) -> None:
        worker = self.worker()
        execution = self.start(self.workflow())
        lease, = worker.take()
        self.client.post(f"/api/executions/{execution['id']}/cancel/")
        self.assertEqual(worker.exchange(wait_seconds=20)["cancelled"], [lease["lease"]])
        self.wait_for(execution, "cancelled")

    def test_an_attempt_out_of_time_is_cancelled_and_fails(self) -> None:
        worker = self.worker()
        execution = self.start(self.workflow(step("a", self.echo, timeout_seconds=0.05)))
        lease, = worker.take()
        self.keep_alive(lease["lease"])
        self.assertEqual(self.wait_for(execution, "failed")["error"]["code"], "task.timeout")

    def test_slots_drain_and_fairness(self) -> None:
        worker = self.worker(slots=3)
        self.start(self.workflow(step("a", self.echo, {"item": "{{ item }}"}, for_each=[1, 2, 3, 4, 5], max_parallel=5)))
        leases = worker.take(max=100)
        while len(leases) < 3:
            leases += worker.take(max=100)
        self.assertEqual(len(leases), 3)
        self.assertEqual(worker.exchange(max=100)["leases"], [])
        self.client.post(f"/api/workers/{worker.id}/drain/")
        answer = worker.exchange(results=[{"lease": lease["lease"], "result": 1} for lease in leases], max=100)
        self.assertEqual((answer["leases"], answer["draining"], len(answer["acknowledged"])), ([], True, 3))
        other = self.worker(pid=7)
        rest = other.take(max=100)
        while len(rest) < 2:
            rest += other.take(max=100)
        other.exchange(results=[{"lease": lease["lease"], "result": 1} for lease in rest])

    def test_a_concurrency_key_keeps_attempts_apart(self) -> None:
        worker = self.worker(functions=[{"type": "demo.limited", "concurrency": {"key": "customer", "limit": 1}}])
        items = [{"customer": "a"}, {"customer": "a"}, {"customer": "b"}]
        self.start(self.workflow(step("a", "demo.limited", {"customer": "{{ item.customer }}"}, for_each=items, max_parallel=3)))
        leases = worker.take(max=9)
        while len(leases) < 2:
            leases += worker.take(max=9)
        self.assertEqual(sorted(lease["config"]["customer"] for lease in leases), ["a", "b"])
        self.assertEqual(worker.exchange(max=9)["leases"], [])
        answer = worker.exchange(results=[{"lease": lease["lease"], "result": 1} for lease in leases], max=9)
        self.assertEqual([lease["config"]["customer"] for lease in answer["leases"]], ["a"])
        worker.exchange(results=[{"lease": lease["lease"], "result": 1} for lease in answer["leases"]])

    def test_one_name_has_one_schema_while_its_worker_is_there(self) -> None:
        first = self.worker(name="first", functions=[{"type": "demo.charge", "config_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}])
        second = {"name": "second", "slots": 1, "pid": 77, "host": "test", "task_types": [{"type": "demo.charge", "config_schema": {"type": "object", "properties": {"b": {"type": "string"}}}}]}
        reply = first.post("/api/workers/", second)
        self.assertEqual((reply.status, reply.code), (409, "worker.type_conflict"))
        self.assertIn("demo.charge", reply.json["detail"])
        self.assertIn("first", reply.json["detail"])
        first.close()
        reply = self.client.post("/api/workers/", second, headers={"Authorization": f"Bearer {first.token}"})
        self.assertEqual(reply.status, 201)
        self.client.call("DELETE", f"/api/workers/{reply.json['worker_id']}/")
        self.assertEqual(list(self.client.get("/api/task-types/demo.charge/").json["config_schema"]["properties"]), ["b"])

    def test_modules_with_mistakes_stand_in_the_palette(self) -> None:
        self.worker(name="p", pid=8, problems=[{"module": "broken", "title": "ImportError: No module named 'stripe'", "traceback": "Traceback ..."}])
        entry = next(row for row in self.client.get("/api/task-types/").json["results"] if row["source"] == "problem")
        self.assertEqual((entry["type"], entry["problem"]["title"], entry["problem"]["worker"]), ("broken", "ImportError: No module named 'stripe'", "p"))


class RestartTest(ServerTest):
    """Functions are known before their workers come back, and what they did before the end is not done again."""

    def test_a_restart_keeps_functions_and_results(self) -> None:
        worker = Worker(self.server, functions=[{"type": "demo.step", "step_defaults": {"retry_config": {"max_attempts": 5}}}])
        workflow = self.create({"name": "R", "steps": [step("a", "demo.step"), step("b", "demo.step", depends_on=["a"])]})
        execution = self.run_workflow(workflow, wait=0)
        first, = worker.take()
        second, = worker.exchange(results=[{"lease": first["lease"], "result": 1}], max=1)["leases"]
        self.server.stop(9)
        type(self).server = Server(self.server.data, *self.arguments)
        self.client = self.server.client()
        self.assertEqual(self.client.get("/api/task-types/demo.step/").json["workers"], 0)
        reply = self.client.post(f"/api/leases/{second['lease']}/complete/", {"result": 2}, headers={"Authorization": f"Bearer {worker.token}"})
        self.assertEqual(reply.code, "lease.lost")
        back = Worker(self.server, functions=worker.registration["task_types"])
        self.addCleanup(back.close)
        lease, = back.take()
        self.assertEqual((lease["step"], lease["attempt"], lease["idempotency_key"]), ("b", 2, second["idempotency_key"]))
        back.exchange(results=[{"lease": lease["lease"], "result": 2}])
        self.assertEqual(self.wait_for(execution, "completed")["tasks"][0]["result"], 1)


if __name__ == "__main__":
    unittest.main()
