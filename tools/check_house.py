#!/usr/bin/env python3
"""Checks what no compiler checks: who may include whom, how large files get, and that every error code is used.

Run by `./dev check`; prints one line a finding and exits 1 when there is any.
"""
import re
import subprocess
import sys
from pathlib import Path

import python_reference
import yaml

ROOT = Path(__file__).resolve().parent.parent
PYTHON_REFERENCE = ROOT / "docs/reference/python.md"

# A folder of server/ may include itself and these.
LAYERS = {
    "base": set(),
    "model": {"base"},
    "engine": {"base", "model"},
    "ports": {"base", "model"},
    "runtime": {"base", "model", "engine", "ports"},
    "launcher": {"base"},
    "tasks": {"base", "model", "ports", "launcher", "sandbox"},
    "sandbox": {"base", "model", "ports"},
    "triggers": {"base", "model"},
    "workers": {"base", "model", "ports"},
    "store": {"base", "model", "ports"},
    "net": {"base", "model", "ports"},
    # The API answers in the network's words (net/message.hpp, net/handler.hpp), which know no workflow.
    "api": {"base", "model", "engine", "ports", "runtime", "triggers", "workers", "net"},
    "app": {"base", "model", "engine", "ports", "runtime", "triggers", "workers", "tasks", "sandbox", "launcher", "store", "net", "api"},
}
# The engine is pure: none of these may appear in it.
IMPURE = re.compile(r"system_clock|steady_clock|std::random|getrandom|std::thread|std::mutex|fopen|std::ofstream|spdlog|\bthrow\b")
IMPURE_ALLOWED = {"server/engine/json_fields.hpp"}  # a damaged journal ends the unit of work
MOST_LINES = {".cpp": 450, ".hpp": 250}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def check_layers(findings: list[str]) -> None:
    for file in tracked("server/*.hpp", "server/*.cpp"):
        folder = file.relative_to(ROOT / "server").parts[0]
        allowed = LAYERS.get(folder)
        name = file.relative_to(ROOT)
        if allowed is None:
            findings.append(f"{name}: the folder {folder} has no place in the layers (tools/check_house.py)")
            continue
        is_test = file.stem.endswith(("_test", "_bench", "_fuzz")) or "contract" in file.stem
        for line in file.read_text(encoding="utf-8").splitlines():
            match = re.match(r'#include "(\w+)/', line)
            if match and match[1] in LAYERS and match[1] != folder and match[1] not in allowed and not is_test:
                findings.append(f"{name}: {folder} may not include {match[1]}")


def check_purity(findings: list[str]) -> None:
    for file in tracked("server/engine/*.hpp", "server/engine/*.cpp"):
        name = str(file.relative_to(ROOT))
        if name in IMPURE_ALLOWED or file.stem.endswith("_test"):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if IMPURE.search(line.split("//")[0]):
                findings.append(f"{name}:{number}: the engine is pure: {line.strip()}")


def check_sizes(findings: list[str]) -> None:
    for file in tracked("server/*.hpp", "server/*.cpp"):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        most = MOST_LINES[file.suffix]
        if lines > most and not file.stem.endswith(("_test", "_contract")):
            findings.append(f"{file.relative_to(ROOT)}: {lines} lines; split it (aim: {most})")


def check_error_codes(findings: list[str]) -> None:
    codes = yaml.safe_load((ROOT / "contract/errors.yaml").read_text(encoding="utf-8"))
    sources = "\n".join(file.read_text(encoding="utf-8") for file in tracked("server/*.hpp", "server/*.cpp"))
    reported = (ROOT / "sdk/python/src/flowpilot/codes.py").read_text(encoding="utf-8")
    for code in codes:
        if f"codes::{code.replace('.', '_')}" not in sources and f'"{code}"' not in reported:
            findings.append(f"contract/errors.yaml: nothing uses {code}")
    documented = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    if documented != render_errors(codes):
        findings.append("docs/reference/errors.md is not what contract/errors.yaml says: tools/check_house.py --write")


def check_python_reference(findings: list[str]) -> None:
    if PYTHON_REFERENCE.read_text(encoding="utf-8") != python_reference.render():
        findings.append("docs/reference/python.md is not what the SDK says: tools/check_house.py --write")


def render_errors(codes: dict) -> str:
    lines = ["# Error codes", "", "Made from `contract/errors.yaml`. Each failed task, problem document and message of the command line names one.", "",
             "| code | title | why | what to do | retried |", "|---|---|---|---|---|"]
    for code, entry in sorted(codes.items()):
        lines.append(f"| `{code}` | {entry['title']} | {entry['cause']} | {entry['remedy']} | {'yes' if entry['retryable'] else 'no'} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    if "--write" in sys.argv:
        codes = yaml.safe_load((ROOT / "contract/errors.yaml").read_text(encoding="utf-8"))
        (ROOT / "docs/reference/errors.md").write_text(render_errors(codes), encoding="utf-8")
        PYTHON_REFERENCE.write_text(python_reference.render(), encoding="utf-8")
    findings: list[str] = []
    for check in (check_layers, check_purity, check_sizes, check_error_codes, check_python_reference):
        check(findings)
    print("\n".join(findings) if findings else "the house is in order")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
