"""Reports that could not be sent yet, in a file that survives the worker."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Dict, Iterable, Optional

MOST_REPORTS = 1_000
MOST_BYTES = 256 << 20


class Spool:
    """One file of JSON lines: {"lease": ..., "report": JSON text}. Rewritten and synced when it changes, which happens only while the server
    is away. Not thread-safe."""

    def __init__(self, folder: Optional[str], name: str) -> None:
        self._file = Path(folder) / f"{name}.jsonl" if folder else None

    def load(self) -> Dict[str, str]:
        """{lease: report} of an earlier worker. A line that was cut off by a crash is left out: its attempt runs again."""
        found: Dict[str, str] = {}
        if self._file is None or not self._file.exists():
            return found
        for line in self._file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
                found[entry["lease"]] = entry["report"]
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def save(self, reports: Dict[str, str]) -> bool:
        """Exactly these from now on, on disk when it returns. False when they are more than fits: the first of them are kept."""
        if self._file is None:
            return True
        kept = list(_fitting(reports))
        if not kept:
            self._file.unlink(missing_ok=True)
            return True
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        with open(draft, "w", encoding="utf-8") as out:
            os.chmod(draft, 0o600)
            for lease in kept:
                out.write(json.dumps({"lease": lease, "report": reports[lease]}) + "\n")
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, self._file)
        return len(kept) == len(reports)


def _fitting(reports: Dict[str, str]) -> Iterable[str]:
    size = 0
    for count, (lease, report) in enumerate(reports.items()):
        size += len(report)
        if count >= MOST_REPORTS or size > MOST_BYTES:
            return
        yield lease
