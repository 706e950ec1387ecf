"""The scenario corpus once more, through the real binary: `flowpilot serve` over HTTP, its steps carried out by Python functions.

What the pure engine's history says of every task (how often it was tried, how it ended, with what) and of the execution must come out of the whole
machine as well. Left to the engine's own tests are scenarios that last longer than a few seconds, and those that crash, cancel, pause or
start in the middle.
"""
import json
import re
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import yaml
from harness import ROOT, ServerTest

sys.path.insert(0, str(ROOT / "sdk/python/src"))
from flowpilot import Context, TaskFailure, task  # noqa: E402
from flowpilot.worker import Worker  # noqa: E402

CORPUS = ROOT / "tests/scenarios"
MOST_SECONDS = 3.0
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
scripts: dict[str, dict] = {}  # by scenario: what its workers do


class Yaml12(yaml.SafeLoader):
    """`off` and `yes` are words, as they are for FlowPilot."""


Yaml12.yaml_implicit_resolvers = {first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"] for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read_yaml(text: str) -> object:
    return yaml.load(text, Yaml12)  # a SafeLoader


@task(name="scenario.work")
def work(ctx: Context, scenario: str, output: object = None, **config: object) -> object:
    """Does what the scenario's script says for this attempt; without one gives `output`."""
    script = scripts[scenario].get(ctx.step if ctx.index is None else f"{ctx.step}[{ctx.index}]") or scripts[scenario].get(ctx.step)
    if not script:
        return output
    act = script[min(ctx.attempt, len(script)) - 1]
    if act.get("takes"):
        ctx.wait_cancelled(act["takes"])
        ctx.check_cancelled()
    if "error" in act:
        error = act["error"]
        raise TaskFailure(error["message"], code=error["code"], retryable=error.get("retryable", False))
    return act.get("output", output)


def can_run(scenario: dict) -> bool:
    script = str(scenario.get("workers", ""))
    lines = [line for line in scenario["history"].splitlines() if re.match(r"[\d.]+ ", line)]
    return (not any(field in scenario for field in ("do", "partial", "earlier", "pins")) and not any(word in script for word in ("lost", "hangs", "retry_after_ms"))
            and all(float(line.split()[0]) <= MOST_SECONDS for line in lines) and "step_type': 'work'" in str(scenario["workflow"]))


def use_functions(document: dict, name: str) -> dict:
    """The document with its scripted steps carried out by the function above."""
    out = {**document, "steps": [dict(step) for step in document["steps"]]}
    for step in out["steps"]:
        if step["step_type"] == "work":
            step["step_type"] = "scenario.work"
            step["config"] = {**step.get("config", {}), "scenario": name}
    return out


def expected(history: str) -> tuple[dict, str]:
    """({task: (status, attempts, result or error code)}, how the execution ended) of a history; the lines of child executions are theirs."""
    tasks: dict[str, list] = {}
    end = ""
    for line in history.splitlines():
        found = re.match(r"[\d.]+ (\S+)(?: (.*))?$", line)
        if not found:
            continue
        name, rest = found[1], found[2] or ""
        if name == "end":
            end = rest.split()[0]
        elif rest.startswith("attempt "):
            tasks.setdefault(name, ["running", 0, None])[1] = int(rest.split()[1])
        elif rest == "skipped":
            tasks[name] = ["skipped", 0, None]
        elif rest.startswith("completed"):
            value = rest.split(" = ", 1)
            tasks.setdefault(name, ["", 0, None])[0::2] = ["completed", read_yaml(value[1]) if len(value) == 2 else None]
        elif rest.startswith("failed "):
            tasks.setdefault(name, ["", 0, None])[0::2] = ["failed", rest.split()[1].rstrip(":")]
    return {name: tuple(task) for name, task in tasks.items()}, end


class ScenariosTest(ServerTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        token = (cls.server.data / "worker-token").read_text(encoding="utf-8").strip()
        cls.spool = tempfile.TemporaryDirectory()
        cls.worker = Worker(f"http://127.0.0.1:{cls.server.port}", token, name="scenarios", slots=16, spool=cls.spool.name, drain_seconds=1, quiet=True)
        cls.thread = threading.Thread(target=cls.worker.run)
        cls.thread.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.worker.stop()
        cls.thread.join()
        super().tearDownClass()
        cls.spool.cleanup()

    def test_the_whole_machine_agrees_with_the_pure_engine(self) -> None:
        while not self.client.get("/api/workers/").json["results"]:
            pass
        started = {}
        for file in sorted(CORPUS.glob("**/*.yaml")):
            scenario = read_yaml(file.read_text(encoding="utf-8"))
            if can_run(scenario):
                started[file] = (scenario, self.start(str(file.relative_to(CORPUS)), scenario))
        self.assertGreaterEqual(len(started), 50)
        for file, (scenario, execution) in started.items():
            with self.subTest(scenario=scenario["scenario"], file=str(file.relative_to(CORPUS))):
                done = self.wait_for(execution, "completed", "failed")
                wanted, end = expected(UUID.sub("<id>", scenario["history"]))
                self.assertEqual((done["status"], self.tasks_of(done, wanted)), (end, wanted))

    def start(self, name: str, scenario: dict) -> dict:
        scripts[name] = scenario.get("workers", {})
        for child in scenario.get("children", []):
            made = self.client.post("/api/workflows/", use_functions(child, name)).json
            self.client.post(f"/api/workflows/{made['id']}/publish/")
        document = use_functions(scenario["workflow"], name)
        made = self.client.post("/api/workflows/", {**document, "name": f"{document['name']} {name}"})
        self.assertEqual(made.status, 201, (name, made.json))
        return self.client.post(f"/api/workflows/{made.json['id']}/run/", {"draft": True, "input": scenario.get("input", {})}).json

    def tasks_of(self, execution: dict, wanted: dict) -> dict:
        out = {}
        for row in execution["tasks"]:
            name = row["step"] if row["index"] is None else f"{row['step']}[{row['index']}]"
            if name not in wanted:
                continue
            end = row["error"]["code"] if row["status"] == "failed" else json.loads(UUID.sub("<id>", json.dumps(row["result"])))
            out[name] = (row["status"], row["retry_count"] + 1 if wanted[name][1] else 0, end)
        return out


if __name__ == "__main__":
    unittest.main()
