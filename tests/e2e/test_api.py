#!/usr/bin/env python3
"""Every route of the API against a real server; the client checks each answer against contract/openapi.yaml. Needs FLOWPILOT_BIN."""
import concurrent.futures
import json
import unittest
import uuid

from harness import CONTRACT, OPENAPI, ServerTest, WebSocket, step
from test_workers import Worker

HELLO = {"name": "Hello", "inputs": {"type": "object", "properties": {"name": {"type": "string"}}},
         "steps": [step("hello", "set", {"values": {"text": "Hello {{ input.name ?? 'you' }}"}}), step("done", depends_on=["hello"], config={"output": "{{ steps.hello.output.text }}"})],
         "output": "{{ steps.done.output }}"}
FAILS = {"name": "Fails", "steps": [step("a", "set", {"values": {"n": 1}}), step("b", "fail", {"message": "no money", "code": "order.unpaid"}, depends_on=["a"]),
                                    step("c", depends_on=["b"])]}
WAITS = {"name": "Waits", "steps": [step("w", "wait_signal", {"name": "go"})], "output": "{{ steps.w.output }}"}
ASKS = {"name": "Asks", "steps": [step("ask", "approval", {"title": "Ship it?"})], "output": "{{ steps.ask.output }}"}


class WorkflowTest(ServerTest):
    def test_a_draft_becomes_a_version_and_stays_what_it_was(self) -> None:
        made = self.client.post("/api/workflows/", HELLO)
        self.assertEqual(made.status, 201)
        workflow = made.json
        self.assertEqual((workflow["version"], workflow["is_draft"], workflow["published_version"]), (1, True, None))
        published = self.client.post(f"/api/workflows/{workflow['id']}/publish/", {"note": "first"}).json
        self.assertEqual((published["version"], published["is_draft"], published["published_version"]), (1, False, 1))
        same = self.client.get(f"/api/workflows/{workflow['id']}/")
        changed = self.client.call("PUT", f"/api/workflows/{workflow['id']}/", {**same.json, "description": "now with words"}, {"If-Match": same.headers["ETag"]})
        self.assertEqual(changed.status, 200, changed.body)
        self.assertEqual((changed.json["version"], changed.json["is_draft"], changed.json["published_version"]), (2, True, 1))
        diff = self.client.get(f"/api/workflows/{workflow['id']}/diff/").json
        self.assertEqual(diff["changes"], [{"pointer": "/description", "op": "add", "after": "now with words"}])
        self.client.post(f"/api/workflows/{workflow['id']}/publish/")
        versions = self.client.get(f"/api/workflows/{workflow['id']}/versions/").json
        self.assertEqual([(v["version"], v["is_published"], v["note"]) for v in versions["results"]], [(2, True, ""), (1, False, "first")])
        first = self.client.get(f"/api/workflows/{workflow['id']}/versions/1/").json
        self.assertEqual(first["document"], HELLO)
        rolled = self.client.post(f"/api/workflows/{workflow['id']}/rollback/", {"version": 1}).json
        self.assertEqual((rolled["published_version"], rolled["is_draft"]), (1, True))
        ran = self.run_workflow(rolled)
        self.assertEqual((ran["status"], ran["workflow_version"], ran["output"]), ("completed", 1, "Hello you"))
        self.assertEqual(self.run_workflow(rolled, draft=True)["workflow_version"], None)

    def test_a_change_wants_the_newest_etag(self) -> None:
        workflow = self.create(HELLO)
        path = f"/api/workflows/{workflow['id']}/"
        self.assertEqual((r := self.client.call("PUT", path, HELLO)).status, 428, r.body)
        stale = self.client.call("PUT", path, HELLO, {"If-Match": '"1"'})
        self.assertEqual((stale.status, stale.code), (412, "precondition.failed"))
        etag = self.client.get(path).headers["ETag"]
        self.assertEqual(self.client.get(path, headers={"If-None-Match": etag}).status, 304)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            def save(n: int) -> int:
                client = self.server.client()
                try:
                    return client.call("PUT", path, {**HELLO, "description": f"by {n}"}, {"If-Match": etag}).status
                finally:
                    client.close()
            statuses = sorted(pool.map(save, range(8)))
        self.assertEqual(statuses, [200] + [412] * 7)

    def test_everything_wrong_is_told_at_once_and_a_draft_may_be_saved_so(self) -> None:
        broken = {"name": "Broken", "steps": [step("a", "nop", depends_on=["z"]), step("a", "set", {"values": "{{ input. }}"})], "colour": 1}
        refused = self.client.post("/api/workflows/", broken)
        self.assertEqual(refused.status, 422)
        self.assertLessEqual({"field.unknown", "step.type", "workflow.edge", "workflow.duplicate_id"}, {e["code"] for e in refused.json["errors"]})
        saved = self.client.call("POST", "/api/workflows/?allow_invalid=true", broken)
        self.assertEqual(saved.status, 201, saved.body)
        self.assertTrue(saved.json["issues"])
        self.assertTrue(self.client.get(f"/api/workflows/{saved.json['id']}/").json["issues"])
        for action in ("publish", "run"):
            self.assertEqual(self.client.post(f"/api/workflows/{saved.json['id']}/{action}/").code, "workflow.invalid")
        self.assertFalse(self.client.post("/api/workflows/validate/", broken).json["valid"])
        self.assertTrue(self.client.post("/api/workflows/validate/", HELLO).json["valid"])

    def test_export_and_import_are_inverse(self) -> None:
        document = {**HELLO, "description": "Line one\nline two: #not a comment\n", "tags": ["true", "a: b", "1", " x", "ü"], "ui": {"positions": {"hello": [0, -1.5]}}}
        workflow = self.create(document)
        for kind in ("yaml", "json"):
            exported = self.client.get(f"/api/workflows/{workflow['id']}/export/?format={kind}")
            self.assertIn("attachment", exported.headers["Content-Disposition"])
            again = self.client.call("POST", "/api/workflows/import/", exported.body, {"Content-Type": f"application/{kind}"})
            self.assertEqual(again.status, 201, again.body)
            same = {key: value for key, value in again.json.items() if key in document}
            self.assertEqual(same, document)

    def test_lists_filter_and_page(self) -> None:
        mark = uuid.uuid4().hex
        made = [self.create({**HELLO, "name": f"{mark} {n}", "tags": [f"t{n % 2}{mark}"]}, publish=n > 2)["id"] for n in range(5)]
        seen, path = [], f"/api/workflows/?search={mark}&limit=2"
        cursor = ""
        while True:
            page = self.client.get(path + (f"&cursor={cursor}" if cursor else "")).json
            self.assertEqual(page["count"], 5)
            seen += [row["id"] for row in page["results"]]
            if not (cursor := page["next"]):
                break
        self.assertEqual(seen, sorted(made, reverse=True))  # ids sort by the time they were made, to the millisecond
        self.assertEqual(self.client.get(f"/api/workflows/?tag=t1{mark}").json["count"], 2)
        self.assertEqual(self.client.get(f"/api/workflows/?search={mark}&status=published").json["count"], 2)
        self.assertEqual(self.client.call("DELETE", f"/api/workflows/{made[0]}/").status, 204)
        self.assertEqual(self.client.get(f"/api/workflows/{made[0]}/").code, "not_found")
        self.assertEqual(self.client.get(f"/api/workflows/?search={mark}").json["count"], 4)

    def test_a_list_shows_the_newest_executions_of_each(self) -> None:
        mark = uuid.uuid4().hex
        busy, idle = (self.create({**HELLO, "name": f"{mark} {n}"}) for n in range(2))
        ran = [self.run_workflow(busy)["id"] for _ in range(3)]
        rows = {row["id"]: row for row in self.client.get(f"/api/workflows/?search={mark}&recent=2").json["results"]}
        self.assertEqual([e["id"] for e in rows[busy["id"]]["recent"]], [ran[2], ran[1]])
        self.assertEqual(rows[busy["id"]]["recent"][0]["status"], "completed")
        self.assertEqual(rows[idle["id"]]["recent"], [])
        self.assertNotIn("recent", self.client.get(f"/api/workflows/?search={mark}").json["results"][0])
        self.assertEqual(self.client.get("/api/workflows/?recent=21").code, "query.invalid")

    def test_executions_of_a_deleted_workflow_stay_readable(self) -> None:
        workflow = self.create(HELLO)
        ran = self.run_workflow(workflow)
        self.client.call("DELETE", f"/api/workflows/{workflow['id']}/")
        self.assertEqual(self.client.get(f"/api/executions/{ran['id']}/").json["output"], "Hello you")
        self.assertEqual(self.client.post(f"/api/workflows/{workflow['id']}/run/").status, 404)

    def test_enable_and_disable(self) -> None:
        workflow = self.create(HELLO)
        self.assertFalse(self.client.post(f"/api/workflows/{workflow['id']}/disable/").json["enabled"])
        self.assertEqual(self.client.get("/api/workflows/?status=disabled&limit=1").json["results"][0]["id"], workflow["id"])
        self.assertTrue(self.client.post(f"/api/workflows/{workflow['id']}/enable/").json["enabled"])


class ExecutionTest(ServerTest):
    def test_a_run_is_accepted_and_ends(self) -> None:
        workflow = self.create(HELLO)
        accepted = self.client.post(f"/api/workflows/{workflow['id']}/run/", {"input": {"name": "Ada"}, "labels": {"source": "test"}})
        self.assertEqual(accepted.status, 202)
        ended = self.wait_for(accepted.json, "completed")
        self.assertEqual((ended["output"], ended["labels"], ended["trigger"]), ("Hello Ada", {"source": "test"}, "manual"))
        self.assertEqual([t["status"] for t in ended["tasks"]], ["completed", "completed"])
        self.assertEqual(self.client.post(f"/api/workflows/{workflow['id']}/run/", {"input": {"name": 5}}).code, "input.invalid")

    def test_an_execution_keeps_the_document_it_runs(self) -> None:
        workflow = self.create(HELLO)
        first = self.run_workflow(workflow)
        seen = self.client.get(f"/api/workflows/{workflow['id']}/")
        changed = {**HELLO, "description": "changed since"}
        self.client.call("PUT", f"/api/workflows/{workflow['id']}/", changed, {"If-Match": seen.headers["ETag"]})
        draft = self.run_workflow(workflow, draft=True)
        of_first = self.client.get(f"/api/executions/{first['id']}/workflow/").json
        self.assertEqual((of_first["workflow"], of_first["workflow_version"], of_first["document"]), (workflow["id"], 1, HELLO))
        of_draft = self.client.get(f"/api/executions/{draft['id']}/workflow/").json
        self.assertEqual((of_draft["workflow_version"], of_draft["document"], of_draft["workflow_hash"]), (None, changed, draft["workflow_hash"]))
        self.assertEqual(self.client.get(f"/api/executions/{uuid.uuid4()}/workflow/").code, "not_found")

    def test_the_same_key_is_the_same_execution(self) -> None:
        workflow = self.create(HELLO)
        path, key = f"/api/workflows/{workflow['id']}/run/", {"Idempotency-Key": uuid.uuid4().hex}

        def start(_: int):
            client = self.server.client()
            try:
                return client.post(path, {"input": {"name": "Ada"}}, headers=key)
            finally:
                client.close()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(start, range(40)))
        self.assertEqual({reply.status for reply in replies}, {202}, [r.body for r in replies if r.status != 202][:1])
        self.assertEqual(len({reply.json["id"] for reply in replies}), 1)
        other = self.client.post(path, {"input": {"name": "Bob"}}, headers=key)
        self.assertEqual((other.status, other.code), (422, "idempotency.conflict"))
        self.assertEqual(self.client.post(path, {}, headers={"Idempotency-Key": ""}).status, 400)
        make = {"Idempotency-Key": uuid.uuid4().hex}
        self.assertEqual(self.client.post("/api/workflows/", HELLO, headers=make).json["id"], self.client.post("/api/workflows/", HELLO, headers=make).json["id"])

    def test_a_signal_sent_again_with_its_key_is_one_signal(self) -> None:
        two = {"name": "Two", "steps": [step("a", "wait_signal", {"name": "go"}), step("b", "wait_signal", {"name": "go"}, depends_on=["a"])]}
        execution = self.run_workflow(self.create(two), wait=0)
        key = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in range(3):
            self.assertEqual(self.client.post(f"/api/executions/{execution['id']}/signals/go/", {"n": 1}, headers=key).status, 202)
        self.assertEqual(self.client.get(f"/api/executions/{execution['id']}/").json["tasks"][1]["status"], "waiting")
        self.client.post(f"/api/executions/{execution['id']}/signals/go/", {"n": 2})
        ended = self.wait_for(execution, "completed")
        self.assertEqual([t["result"] for t in ended["tasks"]], [{"n": 1}, {"n": 2}])
        late = self.client.post(f"/api/executions/{execution['id']}/signals/go/", {})
        self.assertEqual((late.status, late.code), (409, "execution.ended"))

    def test_pause_resume_cancel(self) -> None:
        execution = self.run_workflow(self.create(WAITS), wait=0)
        path = f"/api/executions/{execution['id']}"
        self.assertEqual(self.client.post(f"{path}/pause/", {"reason": "look"}).json["status"], "paused")
        self.assertEqual(self.client.post(f"{path}/resume/").json["status"], "waiting")
        self.assertEqual(self.client.post(f"{path}/cancel/").json["status"], "cancelled")
        for action in ("pause", "resume", "cancel"):
            self.assertEqual(self.client.post(f"{path}/{action}/").status, 409)

    def test_an_approval_is_decided_once(self) -> None:
        execution = self.run_workflow(self.create(ASKS), wait=0)
        path = f"/api/executions/{execution['id']}/tasks/ask"
        self.assertEqual(self.client.get(f"{path}/").json["wait"]["kind"], "approval")
        self.assertEqual(self.client.post(f"{path}/decide/", {"approved": True, "comment": "fine"}).status, 202)
        ended = self.wait_for(execution, "completed")
        self.assertEqual((ended["output"]["approved"], ended["output"]["comment"]), (True, "fine"))
        self.assertEqual(self.client.post(f"{path}/decide/", {"approved": False}).code, "execution.not_waiting")

    def test_retry_from_where_and_with_which_version(self) -> None:
        workflow = self.create(FAILS)
        failed = self.run_workflow(workflow)
        self.assertEqual((failed["status"], failed["error"]["code"], failed["error"]["detail"]), ("failed", "order.unpaid", "no money"))
        path = f"/api/executions/{failed['id']}/retry/"
        same = self.client.post(path).json
        self.assertEqual(same["id"], failed["id"])
        self.wait_for(same, "failed")
        fixed = {**FAILS, "steps": [FAILS["steps"][0], step("b", depends_on=["a"]), FAILS["steps"][2]]}
        seen = self.client.get(f"/api/workflows/{workflow['id']}/")
        self.client.call("PUT", f"/api/workflows/{workflow['id']}/", fixed, {"If-Match": seen.headers["ETag"]})
        self.assertEqual(self.client.post(path, {"version": "published", "from": "nowhere"}).code, "retry.not_possible")
        again = self.client.post(path, {"version": "draft", "from": "failed"}).json
        self.assertEqual(again["retry_of"], failed["id"])
        ended = self.wait_for(again, "completed")
        self.assertEqual([t["status"] for t in ended["tasks"]], ["completed"] * 3)
        events = self.client.get(f"/api/executions/{ended['id']}/events/").json["results"]
        self.assertIn("1 recorded results are taken over", events[0]["text"])
        self.assertEqual(self.client.post(f"/api/executions/{ended['id']}/retry/").code, "retry.not_possible")
        self.wait_for(self.client.post(f"/api/executions/{ended['id']}/retry/", {"from": "start", "input": {"n": 1}}).json, "completed")
        self.assertEqual(self.client.get(f"/api/executions/?retry_of={failed['id']}").json["count"], 1)

    def test_bulk_counts_first_and_then_acts(self) -> None:
        workflow = self.create(WAITS)
        mark = {"batch": uuid.uuid4().hex}
        for _ in range(7):
            self.run_workflow(workflow, wait=0, labels=mark)
        order = {"action": "cancel", "filter": {"label": f"batch={mark['batch']}"}}
        dry = self.client.post("/api/executions/bulk/", {**order, "dry_run": True})
        self.assertEqual((dry.status, dry.json["count"], dry.json["status"]), (200, 7, "dry_run"))
        key = {"Idempotency-Key": uuid.uuid4().hex}
        job = self.client.post("/api/executions/bulk/", order, headers=key).json
        self.assertEqual(self.client.post("/api/executions/bulk/", order, headers=key).json["id"], job["id"])
        while job["status"] == "running":
            job = self.client.get(f"/api/executions/bulk/{job['id']}/").json
        self.assertEqual((job["succeeded"], job["refused"]), (7, 0))
        left = self.client.get(f"/api/executions/?label=batch={mark['batch']}&status=cancelled").json
        self.assertEqual(len(left["results"]), 7)

    def test_lists_are_stable_while_executions_start(self) -> None:
        workflow = self.create(HELLO)
        ids = [self.run_workflow(workflow)["id"] for _ in range(9)]
        path, seen, cursor = f"/api/executions/?workflow={workflow['id']}&limit=4", [], ""
        while True:
            page = self.client.get(path + (f"&cursor={cursor}" if cursor else "")).json
            seen += [row["id"] for row in page["results"]]
            self.run_workflow(workflow)
            if not (cursor := page["next"]):
                break
        self.assertEqual(seen, ids[::-1])
        page = self.client.get(f"/api/executions/?workflow={workflow['id']}&status=completed,failed").json
        self.assertEqual((page["count"], page["count_is_exact"]), (12, True))
        self.assertEqual(self.client.get(f"/api/executions/?workflow={workflow['id']}&status=failed").json["count"], 0)
        self.assertEqual(self.client.get("/api/executions/?search=no-such-thing").json["results"], [])

    def test_the_journal_tells_each_event_in_a_sentence(self) -> None:
        execution = self.run_workflow(self.create(HELLO))
        whole = self.client.get(f"/api/executions/{execution['id']}/events/").json
        for limit in (1, 2, 3, 5):
            read, after = [], 0
            while after is not None:
                part = self.client.get(f"/api/executions/{execution['id']}/events/?limit={limit}&after={after}").json
                self.assertEqual(part["count"], whole["count"])
                read, after = read + part["results"], part["next"]
            self.assertEqual(read, whole["results"])
        self.assertEqual(self.client.get(f"/api/executions/{execution['id']}/events/?after=18446744073709551615").json["results"], [])
        page = self.client.get(f"/api/executions/{execution['id']}/events/?limit=2").json
        self.assertEqual([e["seq"] for e in page["results"]], [1, 2])
        rest = self.client.get(f"/api/executions/{execution['id']}/events/?after={page['next']}").json
        self.assertEqual([e["seq"] for e in rest["results"]], list(range(3, page["count"] + 1)))
        self.assertEqual(rest["results"][-1]["text"], "Ended: completed")
        self.assertTrue(all(e["text"] for e in page["results"] + rest["results"]))

    def test_one_task_shows_attempts_config_and_slices_of_its_result(self) -> None:
        document = {"name": "Big", "steps": [step("big", "set", {"values": {"list": "{{ Array.from({length: 50000}, (_, i) => i) }}", "text": "{{ 'äb'.repeat(50000) }}"}})]}
        execution = self.run_workflow(self.create(document))
        self.assertEqual(execution["status"], "completed", execution["error"])
        self.assertTrue(execution["tasks"][0]["result"]["truncated"])
        path = f"/api/executions/{execution['id']}/tasks/{execution['tasks'][0]['id']}"
        slice = self.client.get(f"{path}/result/?path=/list&offset=49998").json
        self.assertEqual((slice["type"], slice["total"], slice["value"]), ("array", 50000, [49998, 49999]))
        value = self.client.get(f"{path}/result/?shorten=1000").json["value"]
        self.assertEqual({name: (part["truncated"], part["bytes"] > 100_000) for name, part in value.items()}, {"list": (True, True), "text": (True, True)})
        self.assertEqual(self.client.get(f"{path}/result/?path=/list&limit=2&shorten=1000").json["value"], [0, 1])
        slice = self.client.get(f"{path}/result/?path=/text&offset=99999&limit=5").json
        self.assertEqual((slice["total"], slice["value"]), (100000, "b"))
        self.assertEqual(self.client.get(f"{path}/result/?path=/nothing").code, "not_found")
        detail = self.client.get(f"/api/executions/{execution['id']}/tasks/big/").json
        self.assertTrue(detail["config"]["truncated"])
        flaky = {"name": "Flaky", "steps": [step("f", "fail", {"message": "again", "retryable": True}, retry_config={"max_attempts": 2, "initial_delay_seconds": 0.01})]}
        execution = self.run_workflow(self.create(flaky))
        self.assertEqual(self.client.get(f"/api/executions/{execution['id']}/tasks/f/").json["retry_count"], 1)

    def test_logs_are_filtered_and_tailed_on_the_server(self) -> None:
        document = {"name": "Talks", "steps": [step("list", "set", {"values": "{{ Array.from({length: 30}, (_, i) => i) }}"}),
                                               step("say", "log", {"message": "line {{ item }}", "level": "{{ item % 10 == 0 ? 'error' : 'info' }}"}, depends_on=["list"],
                                                    for_each="{{ steps.list.output }}", max_parallel=1)]}
        execution = self.run_workflow(self.create(document))
        path = f"/api/executions/{execution['id']}/logs/"
        page = self.client.get(f"{path}?limit=10").json
        self.assertEqual([line["text"] for line in page["results"]], [f"line {n}" for n in range(10)])
        page = self.client.get(f"{path}?after={page['next']}").json
        self.assertEqual((page["results"][0]["text"], page["next"]), ("line 10", None))
        self.assertEqual([l["text"] for l in self.client.get(f"{path}?tail=2").json["results"]], ["line 28", "line 29"])
        self.assertEqual([l["index"] for l in self.client.get(f"{path}?level=error").json["results"]], [0, 10, 20])
        self.assertEqual([l["text"] for l in self.client.get(f"{path}?search=LINE%2025").json["results"]], ["line 25"])
        self.assertEqual(self.client.get(f"{path}?step=list").json["results"], [])

    def test_a_respond_step_answers_the_request(self) -> None:
        page = {"name": "Page", "steps": [step("r", "respond", {"status": 201, "headers": {"Content-Type": "text/html", "X-Shop": "{{ input.shop }}"}, "body": "<h1>Hi</h1>"}),
                                          step("later", "delay", {"seconds": 3600}, depends_on=["r"])]}
        workflow = self.create(page)
        reply = self.client.post(f"/api/workflows/{workflow['id']}/run/", {"input": {"shop": "a b"}, "wait_seconds": 30})
        self.assertEqual((reply.status, reply.body, reply.headers["X-Shop"]), (201, b"<h1>Hi</h1>", "a b"))
        self.assertIn("sandbox", reply.headers["Content-Security-Policy"])
        self.assertEqual(self.client.get(f"/api/executions/{reply.headers['FlowPilot-Execution']}/").json["status"], "waiting")
        split = self.client.post(f"/api/workflows/{workflow['id']}/run/", {"input": {"shop": "a\r\nSet-Cookie: x=1"}, "wait_seconds": 30})
        self.assertEqual((split.json["status"], split.json["error"]["code"]), ("failed", "config.invalid"))

    def test_waiting_ends_with_the_time_given(self) -> None:
        reply = self.client.post(f"/api/workflows/{self.create(WAITS)['id']}/run/", {"wait_seconds": 0.05})
        self.assertEqual((reply.status, reply.json["status"]), (202, "waiting"))

    def test_a_child_is_pinned_to_its_workflow(self) -> None:
        name = f"Child {uuid.uuid4().hex}"
        child = self.create({**HELLO, "name": name})
        parent = self.create({"name": "Parent", "steps": [step("c", "workflow", {"workflow": name, "input": {"name": "kid"}})], "output": "{{ steps.c.output }}"})
        ended = self.run_workflow(parent)
        self.assertEqual(ended["output"], "Hello kid")
        born = self.client.get(f"/api/executions/?parent={ended['id']}").json["results"]
        self.assertEqual([(b["workflow"], b["workflow_version"], b["trigger"]) for b in born], [(child["id"], 1, "parent")])


class PaletteTest(ServerTest):
    def test_task_types(self) -> None:
        listed = self.client.get("/api/task-types/").json
        types = {row["type"]: row for row in listed["results"]}
        self.assertLessEqual({"http_request", "send_email", "set", "conditional", "respond", "approval"}, set(types))
        self.assertEqual(self.client.get("/api/task-types/conditional/").json["ports"], ["true", "false"])
        self.assertEqual(self.client.get("/api/task-types/nope/").code, "not_found")

    def test_every_template_is_a_workflow(self) -> None:
        listed = self.client.get("/api/templates/").json["results"]
        self.assertEqual(len(listed), 12)
        for row in listed:
            whole = self.client.get(f"/api/templates/{row['id']}/").json
            document = whole.pop("document")
            self.assertEqual((whole, row["steps"]), (row, len(document["steps"])))
            self.assertTrue(self.client.post("/api/workflows/validate/", document).json["valid"], row["id"])
        self.assertEqual(self.client.get("/api/templates/nope/").code, "not_found")

    def test_preview_is_what_the_engine_would_give(self) -> None:
        def preview(**body):
            return self.client.post("/api/expressions/preview/", body).json
        self.assertEqual(preview(template="{{ input.n * 2 }}", data={"input": {"n": 4}})["value"], 8)
        self.assertEqual(preview(template={"a": ["{{ input.n }} of {{ vars.m ?? 3 }}"]}, data={"input": {"n": 4}, "vars": {}})["value"], {"a": ["4 of 3"]})
        self.assertEqual(preview(template="{{ input.n +* 2 }}")["error"]["code"], "expr.syntax")
        self.assertEqual(preview(template="{{ input.m.x }}", data={"input": {"n": 4}})["error"]["code"], "expr.undefined")
        self.assertEqual(preview(template="{{ while(1); }}")["ok"], False)
        workflow = self.create(HELLO)
        execution = self.run_workflow(workflow)
        self.assertEqual(preview(template="{{ steps.hello.output.text.length }}", execution=execution["id"])["value"], 9)
        self.assertEqual(self.client.post("/api/expressions/preview/", {"template": 1, "data": {"secret": 1}}).code, "field.unknown")


class SystemTest(ServerTest):
    def test_health_limits_figures_and_documents(self) -> None:
        self.assertEqual(self.client.get("/healthz").json, {"status": "ok"})
        ready = self.client.get("/readyz").json
        self.assertEqual((ready["status"], ready["durability"]), ("ready", "power-safe"))
        self.assertEqual(self.client.get("/api/limits/").json["http_header_bytes"]["value"], 8192)
        self.assertEqual(self.client.get("/api/openapi.json").json["openapi"], "3.1.0")
        self.assertEqual(self.client.get("/api/openapi.json").json, json.loads(json.dumps(OPENAPI)))
        for file, kind in (("/docs", "text/html"), ("/docs/docs.js", "text/javascript"), ("/docs/docs.css", "text/css")):
            self.assertTrue(self.client.get(file).headers["Content-Type"].startswith(kind))
        execution = self.run_workflow(self.create({**HELLO, "name": 'Odd "name"\\'}))
        metrics = self.client.get("/metrics").body.decode()
        self.assertIn('flowpilot_executions_completed_total{workflow="Odd \\"name\\"\\\\",status="completed"} 1', metrics)
        self.assertNotIn(execution["id"], metrics)
        for line in metrics.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? [-+0-9.e]+)$')

    def test_stats_add_up(self) -> None:
        workflow = self.create(FAILS)
        for _ in range(3):
            self.run_workflow(workflow)
        stats = self.client.get(f"/api/stats/?workflow={workflow['id']}&steps=true").json
        self.assertEqual((stats["total"]["failed"], stats["total"]["success_rate"]), (3, 0.0))
        self.assertEqual({s["step"]: s["figures"]["completed"] for s in stats["workflows"][0]["steps"]}["a"], 3)
        self.assertGreaterEqual(sum(stats["by_status"].values()), 3)

    def lease_of(self, worker: Worker) -> str:
        self.run_workflow(self.create({"name": "F", "steps": [step("a", "examples.run")]}), wait=0)
        return worker.take()[0]["lease"]

    def test_every_example_of_the_document_is_accepted(self) -> None:
        workflow = self.create(HELLO)
        worker = Worker(self.server, functions=["examples.run"])
        self.addCleanup(worker.close)
        for path, item in OPENAPI["paths"].items():
            for method, operation in item.items():
                body = CONTRACT.find(operation["requestBody"]) if method == "post" and "requestBody" in operation else None
                for kind, media in (body or {}).get("content", {}).items():
                    examples = [media["example"]] if "example" in media else [example["value"] for example in media.get("examples", {}).values()]
                    for example in examples:
                        execution = self.run_workflow(self.create(ASKS if "decide" in path else WAITS), wait=0)
                        if "retry" in path:
                            execution = self.run_workflow(self.create(FAILS))
                        id = execution["id"] if "executions" in path else worker.id if "workers" in path else workflow["id"]
                        lease = "" if "{lease}" not in path else self.lease_of(worker)
                        filled = path.replace("{id}", id).replace("{task}", "ask").replace("{name}", "go").replace("{lease}", lease)
                        sent = example if isinstance(example, str) else json.dumps(example)
                        reply = self.client.call("POST", filled, sent.encode(), {"Content-Type": kind, "Authorization": f"Bearer {worker.token}"})
                        self.assertLess(reply.status, 300, (path, reply.body))


if __name__ == "__main__":
    unittest.main(verbosity=1)
