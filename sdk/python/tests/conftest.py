"""Every test has the registry of tasks to itself."""
import importlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))


@pytest.fixture(autouse=True)
def own_registry():
    registry = importlib.import_module("flowpilot.task")._registry
    kept = dict(registry)
    registry.clear()
    yield
    registry.clear()
    registry.update(kept)
