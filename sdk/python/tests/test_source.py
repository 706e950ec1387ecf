"""What the package promises about itself: Python 3.9, the standard library, every code known to the server."""
import ast
import re
import sys
from pathlib import Path

import pytest

from flowpilot import codes

PACKAGE = Path(__file__).resolve().parents[1] / "src/flowpilot"
ERRORS = Path(__file__).resolve().parents[3] / "contract/errors.yaml"
FILES = sorted(PACKAGE.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_the_syntax_is_that_of_python_3_9(file):
    ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_only_the_standard_library_is_imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names, f"{file.name} imports {name}"


def test_every_code_is_documented():
    known = set(re.findall(r"^([a-z_.]+): \{", ERRORS.read_text(encoding="utf-8"), re.M))
    assert set(codes.ALL) <= known
