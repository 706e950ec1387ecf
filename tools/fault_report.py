#!/usr/bin/env python3
"""Turns the figures that the fault tests of the server leave behind into docs/reference/robustness-report.md.

    FLOWPILOT_CHAOS_CYCLES=300 ctest --test-dir build/test -R 'server_(faults|clients|storage)'
    python3 tools/fault_report.py [build/test/fault-figures.jsonl]

A test that ran more than once counts with its last run.
"""
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/reference/robustness-report.md"
PLAIN = ("test", "fault", "what", "seed", "seconds", "cycles", "ok", "fail", "info", "lost", "duplicated", "stuck")

ELSEWHERE = {
    "F16 death in a migration": "`server/store/sqlite/sqlite_crash_test.cpp`, at each statement of each migration",
    "F20 power cut": "`tests/chaos/test_power_cut.py`, below the server: ext4 shut down without its log; "
    "the same cut without syncs must lose something",
    "F34 commits beside checkpoints": "ruled out by one writer that does both; "
    "`server/store/sqlite/sqlite_store_test.cpp` checks the WAL under a stream of commits",
    "F37 the n-th operation of the file layer fails": "`server/store/sqlite/sqlite_fault_test.cpp`: writes, syncs and reads, each code",
    "F70 bad HTTP peers": "`server/tasks/http_request_test.cpp`",
    "F07 a server that was taken over and lives on": "`tests/simulation`; the epochs by the store's contract tests. On SQLite the directory "
    "stays locked while its owner is frozen, so that nobody can take over",
    "F80 clock jumps": "`tests/simulation` sets the clock of a process",
    "F95 cancel beside the end, every order": "`tests/simulation`; the row above is a sample over HTTP",
    "F09, F17 expressions that crash or hang": "`server/sandbox/*_test.cpp`, `tests/chaos/test_crash.py`",
    "Bad input": "`tests/e2e/test_bad_input.py`",
}
NOT_COVERED = {
    "F03, F08, F66, F67, F68": "there is no worker process of its own yet, so none can die, freeze or be cut off; "
    "attempts run inside the server (F01, F04, F07)",
    "F06": "an overlap of two servers on one store needs PostgreSQL; on SQLite the second is refused (F11, F07)",
    "F12, F14, F104": "there is no Python or shell step yet that could take memory or processes",
    "F21": "power cuts at each single fsync take a loop device each time; F20 cuts at random ones",
    "F40 to F53, F100": "there is no PostgreSQL store yet",
    "F55 to F63": "there is no queue between processes yet",
    "F31, going on when the disk is writable again":
        "the server stops (exit 7) and goes on when it is started again; it serves no reads meanwhile",
    "F33, a warning": "the WAL grows as long as another program holds a snapshot, and nothing warns of it; the server's own readers hold none",
    "F71, F84, F85, F87": "need a name server of their own, other zone data, waits of years, or clocks that differ between processes",
    "F83": "a data directory has one server (F80 to F82: `tests/e2e/test_schedules.py`, `test_schedule_oracle.py`; F90 to F92: `test_webhooks.py`)",
    "F99, F106, F108, F109": "long mixes, breakers, slots and tenants belong to parts that are not built yet",
    "F111": "there are no encrypted rows yet",
}


def read_rows(path: Path) -> list[dict]:
    rows: dict[tuple, dict] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows.pop(row["test"], None)
        rows[row["test"]] = row
    return sorted(rows.values(), key=lambda row: (int(row["fault"][1:].split(",")[0]), row["test"]))


def text(value) -> str:
    if isinstance(value, float):
        value = round(value, 3)
    if isinstance(value, list):
        value = ", ".join(str(part) or "right" for part in value)
    return str(value).replace("|", "\\|")


def make_table(rows: list[dict]) -> list[str]:
    out = ["| fault | what was done | cycles | acknowledged | lost | duplicated | stuck | figures |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        figures = "; ".join(f"{name.replace('_', ' ')} {text(value)}" for name, value in row.items() if name not in PLAIN)
        counts = [text(row.get(name, "")) for name in ("cycles", "ok", "lost", "duplicated", "stuck")]
        out.append(f"| {row['fault']} | {text(row['what'])} | {' | '.join(counts)} | {figures} |")
    return out


def make_list(title: str, entries: dict[str, str]) -> list[str]:
    return [f"## {title}", *(f"- **{name}**: {why}." for name, why in entries.items()), ""]


def main() -> int:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/test/fault-figures.jsonl"
    rows = read_rows(source)
    ran = [row for row in rows if "skipped" not in row]
    skipped = {f"{row['fault']} ({row['test']})": row["skipped"] for row in rows if "skipped" in row}
    lines = [
        "# What the server does under faults",
        "",
        "Made by `tools/fault_report.py` from a run of the fault tests ([tests/chaos](../../tests/chaos/README.md)); do not edit. "
        f"{len(ran)} tests, {round(sum(row['seconds'] for row in ran))} s, seed {', '.join(sorted({str(row['seed']) for row in ran}))}.",
        "",
        "*Acknowledged* is what clients were told is accepted, or the answers that were right. *Lost*, *duplicated* and *stuck* are",
        "counted after the last restart: acknowledged and not there, there more often than asked for, not ended. A test fails when one of them is not 0. An effect",
        "may be *repeated with the same key* when the process died before its result was recorded: receivers know it by its `Idempotency-Key`.",
        "",
        *make_table(ran),
        "",
        *make_list("Covered by other tests", ELSEWHERE),
        *make_list("Not covered", NOT_COVERED),
        *(make_list("Skipped in this run", skipped) if skipped else []),
        "## How to run it",
        "```sh",
        "./dev test-long                                  # with the other long tests",
        "rm -f build/test/fault-figures.jsonl",
        "FLOWPILOT_CHAOS_CYCLES=300 ctest --test-dir build/test -R 'server_(faults|clients|storage)' --output-on-failure",
        "python3 tools/fault_report.py",
        "```",
        "Without `FLOWPILOT_CHAOS_CYCLES` it is the short form, part of `./dev test`. Some rows need root, loop devices or strace.",
    ]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(ran)} rows, {len(skipped)} skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
