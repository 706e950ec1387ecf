#!/usr/bin/env python3
"""Parts of a workflow, values instead of steps, and plans: what is foreseen is what happens. Needs FLOWPILOT_BIN."""
import os
import random
import unittest
import uuid

from harness import ServerTest, step

CHAIN = {"name": "Chain", "inputs": {"type": "object", "properties": {"n": {"type": "integer"}}},
         "steps": [step("a", config={"output": "{{ input.n }}"}), step("b", depends_on=["a"], config={"output": "{{ steps.a.output * 10 }}"}),
                   step("c", depends_on=["b"], config={"output": "{{ steps.b.output + 1 }}"}), step("d", depends_on=["c"]), step("beside")],
         "output": "{{ steps.c.output }}"}


class PartialTest(ServerTest):
    def draft(self, document: dict) -> dict:
        return self.create({**document, "name": f"{document['name']} {uuid.uuid4().hex}"}, publish=False)

    def post_run(self, workflow: dict, **body):
        return self.client.post(f"/api/workflows/{workflow['id']}/run/", body)

    def plan(self, workflow: dict, **body) -> dict:
        reply = self.post_run(workflow, **body, dry_run=True)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json

    def refused(self, workflow: dict, code: str, **body) -> list:
        reply = self.post_run(workflow, **body)
        self.assertEqual((reply.status, reply.code), (422, code), reply.body)
        return [error["pointer"] for error in reply.json["errors"]] if "errors" in reply.json else []

    def results(self, execution: dict) -> dict:
        return {task["step"]: (task["status"], task["result"]) for task in execution["tasks"] if task["index"] is None}

    def attempted(self, execution: dict) -> set:
        events = self.client.get(f"/api/executions/{execution['id']}/events/?limit=1000").json["results"]
        return {event["step"] for event in events if event["type"] == "attempt_scheduled"}

    def change(self, workflow: dict, **more) -> None:
        seen = self.client.get(f"/api/workflows/{workflow['id']}/")
        saved = self.client.call("PUT", f"/api/workflows/{workflow['id']}/", {**seen.json, **more}, {"If-Match": seen.headers["ETag"]})
        self.assertEqual(saved.status, 200, saved.body)

    def test_to_a_step_runs_what_is_not_there_yet(self) -> None:
        workflow = self.draft(CHAIN)
        whole = self.run_workflow(workflow, {"n": 2})
        self.assertEqual(self.plan(workflow, partial={"mode": "to", "step": "c"}), {"run": ["a", "b", "c"], "reuse": [], "skip": ["d", "beside"]})
        part = {"mode": "to", "step": "c", "execution": whole["id"]}
        taken = [{"step": name, "source": "execution"} for name in "ab"]
        self.assertEqual(self.plan(workflow, partial=part), {"run": ["c"], "reuse": taken, "skip": ["d", "beside"]})
        ended = self.post_run(workflow, partial=part, wait_seconds=30).json
        self.assertEqual((ended["status"], ended["output"], ended["input"]), ("completed", None, {"n": 2}))
        self.assertEqual(self.results(ended), {"a": ("completed", 2), "b": ("completed", 20), "c": ("completed", 21), "d": ("skipped", None), "beside": ("skipped", None)})
        self.assertEqual(self.attempted(ended), {"c"})
        first = self.client.get(f"/api/executions/{ended['id']}/events/").json["results"][0]
        self.assertIn(f"taken over from execution {whole['id']}: a, b; left out: d, beside", first["text"])
        self.assertEqual((first["data"]["reused_from"], first["data"]["left_out"]), (whole["id"], ["d", "beside"]))
        # Written anew, it is run again, and so is what rests on it.
        steps = [dict(s) for s in CHAIN["steps"]]
        steps[1]["config"] = {"output": "{{ steps.a.output * 100 }}"}
        self.change(workflow, steps=steps, ui={"positions": {"a": [1, 2]}})
        self.assertEqual(self.plan(workflow, partial=part), {"run": ["b", "c"], "reuse": taken[:1], "skip": ["d", "beside"]})
        self.assertEqual(self.results(self.post_run(workflow, partial=part, wait_seconds=30).json)["c"], ("completed", 201))

    def test_only_a_step(self) -> None:
        workflow = self.draft(CHAIN)
        whole = self.run_workflow(workflow, {"n": 2})
        self.assertEqual(self.refused(workflow, "partial.missing", partial={"mode": "only", "step": "c"}), ["/pins/b"])
        pinned = self.post_run(workflow, partial={"mode": "only", "step": "c"}, pins={"b": 5}, wait_seconds=30).json
        self.assertEqual((self.results(pinned)["b"], self.results(pinned)["c"], self.attempted(pinned)), (("completed", 5), ("completed", 6), {"c"}))
        taken = self.post_run(workflow, partial={"mode": "only", "step": "c", "execution": whole["id"]}, wait_seconds=30).json
        self.assertEqual((self.results(taken)["c"], self.attempted(taken)), (("completed", 21), {"c"}))
        # b rests on another a than the one pinned.
        self.assertEqual(self.refused(workflow, "partial.missing", partial={"mode": "only", "step": "c", "execution": whole["id"]}, pins={"a": 9}), ["/pins/b"])
        self.assertEqual(self.post_run(workflow, partial={"mode": "only", "step": "c", "execution": whole["id"]}, pins={"a": 2}, wait_seconds=30).status, 200)

    def test_from_a_step_on(self) -> None:
        workflow = self.draft(CHAIN)
        whole = self.run_workflow(workflow, {"n": 3})
        part = {"mode": "from", "step": "b", "execution": whole["id"]}
        self.assertEqual(self.plan(workflow, partial=part), {"run": ["b", "c", "d"], "reuse": [{"step": "a", "source": "execution"}, {"step": "beside", "source": "execution"}], "skip": []})
        ended = self.post_run(workflow, partial=part, wait_seconds=30).json
        self.assertEqual((ended["output"], self.attempted(ended)), (31, {"b", "c", "d"}))
        part["step"] = "c"
        self.assertEqual(self.post_run(workflow, partial=part, pins={"b": 1, "d": "done"}, wait_seconds=30).json["output"], 2)

    def test_a_loop_is_taken_whole_and_pins_go_the_way_they_say(self) -> None:
        workflow = self.draft({"name": "Ways", "steps": [
            step("list", config={"output": "{{ item * 2 }}"}, for_each="{{ [1, 2] }}"), step("choose", "conditional", {"condition": "{{ steps.list.output.length > 1 }}"}, depends_on=["list"]),
            step("many", depends_on=[{"step": "choose", "when": "true"}], config={"output": "{{ steps.list.output }}"}), step("few", depends_on=[{"step": "choose", "when": "false"}])]})
        whole = self.run_workflow(workflow)
        part = {"mode": "to", "step": "many", "execution": whole["id"]}
        ended = self.post_run(workflow, partial=part, wait_seconds=30).json
        self.assertEqual((self.results(ended)["list"], self.results(ended)["many"], self.attempted(ended)), (("completed", [2, 4]), ("completed", [2, 4]), {"many"}))
        self.assertEqual(self.refused(workflow, "partial.not_reached", partial={**part, "step": "few"}), [])
        other = self.post_run(workflow, pins={"choose": {"result": False}}, wait_seconds=30).json
        self.assertEqual({name: status for name, (status, _) in self.results(other).items()}, {"list": "completed", "choose": "completed", "many": "skipped", "few": "completed"})
        texts = [event["text"] for event in self.client.get(f"/api/executions/{other['id']}/events/").json["results"]]
        self.assertIn("choose was not run: the value pinned to it stands in", texts)

    def test_what_does_not_fit_is_named(self) -> None:
        workflow, foreign = self.draft(CHAIN), self.run_workflow(self.draft(CHAIN))
        self.assertEqual(self.refused(workflow, "partial.invalid", partial={"mode": "to", "step": "z", "execution": foreign["id"]}, pins={"y": 1}),
                         ["/partial/step", "/partial/execution", "/pins/y"])
        self.assertEqual(self.refused(workflow, "partial.invalid", partial={"mode": "to", "step": "a", "execution": str(uuid.uuid4())}, pins={"a": 1}), ["/partial/execution", "/pins/a"])
        self.assertEqual(self.refused(workflow, "validation.failed", pins={f"s{n}": n for n in range(101)}), ["/pins"])
        self.assertEqual(self.refused(workflow, "validation.failed", partial={"mode": "up", "step": "a"}), ["/partial/mode"])
        self.assertEqual(self.refused(workflow, "input.invalid", pins={"a": 1}, input={"n": "x"}), ["/n"])
        published = self.create(CHAIN)
        self.assertEqual(self.refused(published, "partial.invalid", pins={"a": 1}, partial={"mode": "to", "step": "c"}, dry_run=True), ["/pins", "/partial", "/dry_run"])
        self.assertEqual(self.post_run(published, pins={"a": 1}, draft=True, wait_seconds=30).json["output"], 11)

    def test_a_plan_starts_nothing(self) -> None:
        workflow = self.draft(CHAIN)
        self.plan(workflow, input={"n": 1})
        self.assertEqual(self.client.get(f"/api/executions/?workflow={workflow['id']}").json["count"], 0)

    def test_a_part_keeps_its_shape_when_it_is_retried(self) -> None:
        workflow = self.draft({"name": "Fails", "steps": [step("a"), step("b", "fail", {"message": "no"}, depends_on=["a"]), step("c", depends_on=["b"]), step("beside")]})
        failed = self.post_run(workflow, partial={"mode": "to", "step": "b"}, pins={"a": 1}, wait_seconds=30).json
        again = self.client.post(f"/api/executions/{failed['id']}/retry/")
        self.assertEqual(again.status, 202, again.body)
        self.assertEqual({name: status for name, (status, _) in self.results(self.wait_for(failed, "failed")).items()}, {"a": "completed", "b": "failed", "c": "skipped", "beside": "skipped"})
        anew = self.wait_for(self.client.post(f"/api/executions/{failed['id']}/retry/", {"from": "start"}).json, "failed")
        self.assertEqual(self.results(anew)["beside"][0], "skipped")
        self.assertEqual(self.client.post(f"/api/executions/{failed['id']}/retry/", {"from": "beside"}).code, "retry.not_possible")

    def test_the_plan_of_a_retry(self) -> None:
        workflow = self.create({"name": "Pays", "steps": [step("a"), step("pay", "sql_query", {"url": "sqlite:nowhere/none.db", "query": "SELECT 1"}, depends_on=["a"]), step("c", depends_on=["pay"])]})
        failed = self.run_workflow(workflow)
        self.assertEqual(failed["status"], "failed")
        path = f"/api/executions/{failed['id']}/retry/"
        plan = self.client.post(path, {"dry_run": True}).json
        self.assertEqual((plan["run"], plan["reuse"], plan["skip"], plan["in_place"]), (["pay", "c"], [{"step": "a", "source": "execution"}], [], True))
        self.assertEqual([row["step"] for row in plan["repeats"]], ["pay"])
        self.assertIn("sql_query", plan["repeats"][0]["reason"])
        plan = self.client.post(path, {"from": "start", "dry_run": True}).json
        self.assertEqual((plan["run"], plan["reuse"], plan["in_place"]), (["a", "pay", "c"], [], False))
        plan = self.client.post(path, {"from": "c", "dry_run": True}).json
        self.assertEqual((plan["run"], plan["in_place"]), (["pay", "c"], False))
        self.assertEqual(self.client.get(f"/api/executions/?workflow={workflow['id']}").json["count"], 1)
        done = self.run_workflow(self.create(CHAIN), {"n": 1})
        self.assertEqual(self.client.post(f"/api/executions/{done['id']}/retry/", {"dry_run": True}).code, "retry.not_possible")

    def random_graph(self, dice: random.Random) -> dict:
        """Every step says who it is and reads some of what ended before it."""
        steps, before = [], {}
        for n in range(dice.randint(2, 9)):
            name, sources = f"s{n}", dice.sample([s["id"] for s in steps], min(len(steps), dice.choice([0, 1, 1, 2, 3])))
            before[name] = set(sources).union(*(before[source] for source in sources))
            reads = dice.sample(sorted(before[name]), min(len(before[name]), dice.randint(0, 2)))
            edges = [{"step": s, "when": dice.choice(["true", "false"])} if s[0] == "s" and self.is_choice(steps, s) else s for s in sources]
            if self.with_choices and dice.random() < 0.25:
                steps.append(step(name, "conditional", {"condition": dice.random() < 0.5}, depends_on=edges))
            else:
                steps.append(step(name, depends_on=edges, join=dice.choice(["default", "all", "any", "always"] if self.with_choices else ["default", "all"]),
                                  config={"output": {"me": name, "read": [f"{{{{ steps.{r}.output }}}}" for r in reads]}}))
        return {"name": "Random", "steps": steps}

    def is_choice(self, steps: list, name: str) -> bool:
        return any(s["id"] == name and s["step_type"] == "conditional" for s in steps)

    def check_random_part(self, dice: random.Random) -> None:
        workflow = self.draft(self.random_graph(dice))
        ids = [s["id"] for s in workflow["steps"]]
        body = {}
        if dice.random() < 0.85:
            body["partial"] = {"mode": dice.choice(["to", "only", "from"]), "step": dice.choice(ids)}
            if dice.random() < 0.7:
                body["partial"]["execution"] = self.run_workflow(workflow)["id"]
            if dice.random() < 0.3:
                changed = [dict(s) for s in workflow["steps"]]
                dice.choice(changed)["name"] = "changed"
                self.change(workflow, steps=changed)
        if dice.random() < 0.6:
            free = [i for i in ids if i != body.get("partial", {}).get("step")]
            body["pins"] = {i: {"result": dice.random() < 0.5} for i in dice.sample(free, min(len(free), 2))}
        foreseen = self.post_run(workflow, **body, dry_run=True)
        happened = self.post_run(workflow, **body, wait_seconds=30)
        if foreseen.status != 200:
            self.refusals += 1
            return self.assertEqual((happened.status, happened.code), (422, foreseen.code))
        plan, execution = foreseen.json, happened.json
        self.assertEqual(execution["status"], "completed", (workflow["steps"], body, execution["error_message"]))
        ran = self.attempted(execution) | {event["step"] for event in self.client.get(f"/api/executions/{execution['id']}/events/?limit=1000").json["results"]
                                           if event["type"] == "task_completed" and not event["data"].get("pinned")}
        reused = {row["step"] for row in plan["reuse"]}
        skipped = {name for name, (status, _) in self.results(execution).items() if status == "skipped"}
        context = (workflow["steps"], body, plan, self.results(execution))
        self.assertEqual(sorted([*plan["run"], *reused, *plan["skip"]]), sorted(ids), context)
        self.assertLessEqual(ran, set(plan["run"]), context)
        self.assertLessEqual(set(plan["skip"]), skipped, context)
        if not self.with_choices:
            self.assertEqual((ran, skipped), (set(plan["run"]), set(plan["skip"])), context)
        place = {name: n for n, name in enumerate(plan["run"])}
        for s in workflow["steps"]:
            for edge in s["depends_on"]:
                source = edge if isinstance(edge, str) else edge["step"]
                if s["id"] in place and source in place:
                    self.assertLess(place[source], place[s["id"]], context)

    def test_plans_come_true_on_random_graphs(self) -> None:
        seed = int(os.environ.get("FLOWPILOT_SEED", "7"))
        rounds = int(os.environ.get("FLOWPILOT_ROUNDS", "80"))
        for self.with_choices in (False, True):
            self.refusals = 0
            for n in range(rounds):
                with self.subTest(seed=seed, round=n, choices=self.with_choices):
                    self.check_random_part(random.Random(f"{seed} {n}"))
            self.assertLess(self.refusals, rounds * 3 // 4, "most parts should run")


if __name__ == "__main__":
    unittest.main(verbosity=1)
