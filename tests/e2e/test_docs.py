#!/usr/bin/env python3
"""The commands of docs/guides/server.md, run as they stand there against a server. Needs FLOWPILOT_BIN."""
import json
import os
import re
import subprocess
import unittest

from harness import BIN, ROOT, ServerTest

GUIDE = (ROOT / "docs/guides/server.md").read_text(encoding="utf-8")


def block_under(heading: str) -> str:
    return re.search(rf"## {re.escape(heading)}\n```sh\n(.*?)```", GUIDE, re.S)[1]


class GuideTest(ServerTest):
    def run_block(self, text: str) -> str:
        text = text.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{self.server.port}")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], capture_output=True, text=True, timeout=60, cwd=self.folder,
                              env={**os.environ, "PATH": f"{os.path.dirname(BIN)}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout

    def test_a_workflow_over_http(self) -> None:
        answers, last = self.run_block(block_under("A workflow over HTTP")).strip(), None
        while answers:
            last, end = json.JSONDecoder().raw_decode(answers)
            answers = answers[end:].strip()
        self.assertEqual(last["output"], "Hello Ada")

    def test_a_part_of_a_draft(self) -> None:
        begin = block_under("A workflow over HTTP").split("curl -s -X POST $url/api/workflows/$id/publish/")[0]
        self.assertEqual(json.loads(self.run_block(begin + block_under("A part of a draft"))), {"run": ["hello"], "reuse": [], "skip": []})

    def test_the_same_from_the_command_line(self) -> None:
        (self.folder / "hello.yaml").write_text('name: Hello\nsteps: [{id: crm, step_type: log, config: {message: "{{ input.name }}", level: warning}}]\n')
        self.run_block(block_under("A workflow over HTTP").split("curl -s $url/api/workflows/$id/run")[0])  # two of one name need ids
        block = block_under("The same from the command line")
        made = self.run_block("export FLOWPILOT_ADDRESS=http://127.0.0.1:8080\nflowpilot workflow create hello.yaml --publish -o json")
        self.run_block(block.replace("run Hello", f"run {json.loads(made)['id']}").replace("ID ", f"{self.last()} ").replace(" ID", f" {self.last()}"))

    def last(self) -> str:
        workflow = self.create({"name": "One", "steps": [{"id": "crm", "step_type": "noop"}]})
        return self.run_workflow(workflow)["id"]


if __name__ == "__main__":
    unittest.main(verbosity=1)
