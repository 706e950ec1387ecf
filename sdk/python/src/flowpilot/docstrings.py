"""What a docstring says about a function and its parameters: Google, NumPy and Sphinx style."""
from __future__ import annotations

import inspect
import re
from typing import Any, Dict, Tuple

_GOOGLE = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_OTHER_SECTION = re.compile(r"^(Returns?|Yields?|Raises|Examples?|Notes?|See Also|Warnings?|Attributes|Todo):?\s*$")
_NUMPY_RULE = re.compile(r"^-{3,}\s*$")
_PARAMETER = re.compile(r"^(\*{0,2}\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_SPHINX = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+):\s*(.*)$")


def read(function: Any) -> Tuple[str, str, Dict[str, str]]:
    """(first line, everything before the sections, {parameter: help}) of the function's docstring."""
    text = inspect.getdoc(function) or ""
    lines = text.splitlines()
    title = lines[0].strip().rstrip(".") if lines else ""
    parameters: Dict[str, str] = {}
    prose = []
    section = ""
    current = ""
    skip = False
    for at, line in enumerate(lines):
        stripped = line.strip()
        rule_follows = at + 1 < len(lines) and bool(_NUMPY_RULE.match(lines[at + 1].strip()))
        sphinx = _SPHINX.match(stripped)
        if sphinx:
            section, current = "sphinx", sphinx[1]
            parameters[current] = sphinx[2]
        elif _GOOGLE.match(stripped) or (rule_follows and stripped in ("Parameters", "Arguments")):
            section, current, skip = "numpy" if rule_follows else "google", "", rule_follows
        elif _OTHER_SECTION.match(stripped) and (rule_follows or stripped.endswith(":")) or stripped.startswith((":return", ":raises", ":rtype", ":type")):
            section, current = "other", ""
        elif skip:
            skip = False
        elif section in ("", "sphinx") and not (section == "sphinx" and line.startswith((" ", "\t"))):
            if section == "":
                prose.append(line)
        elif section == "google":
            section, current = _take_google(line, parameters, current)
        elif section == "numpy":
            current = _take_numpy(line, parameters, current)
        elif section == "sphinx" and current:
            parameters[current] = f"{parameters[current]} {stripped}".strip()
    return title, "\n".join(prose).strip(), {name.lstrip("*"): help for name, help in parameters.items() if help}


def _take_google(line: str, parameters: Dict[str, str], current: str) -> Tuple[str, str]:
    if line.strip() and not line.startswith((" ", "\t")):
        return "other", ""
    indent = len(line) - len(line.lstrip())
    found = _PARAMETER.match(line.strip())
    if found and (not current or indent <= 4):
        parameters[found[1]] = found[2]
        return "google", found[1]
    if current and line.strip():
        parameters[current] = f"{parameters[current]} {line.strip()}".strip()
    return "google", current


def _take_numpy(line: str, parameters: Dict[str, str], current: str) -> str:
    if line and not line.startswith((" ", "\t")):
        name = line.split(":")[0].strip()
        parameters[name] = ""
        return name
    if current and line.strip():
        parameters[current] = f"{parameters[current]} {line.strip()}".strip()
    return current
