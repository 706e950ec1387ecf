"""Finds and imports the modules whose functions a worker offers."""
from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import Dict, List

from .failure import say, user_traceback
from .task import forget_module


def list_modules(folder: Path) -> List[str]:
    """The modules and packages of a folder by name, those of tests and hidden ones left out."""
    names = set()
    for entry in folder.iterdir():
        if entry.name.startswith(("_", ".", "test_")) or entry.name == "conftest.py":
            continue
        if entry.suffix == ".py" and entry.stem.isidentifier():
            names.add(entry.stem)
        elif entry.is_dir() and (entry / "__init__.py").is_file() and entry.name.isidentifier():
            names.add(entry.name)
    return sorted(names)


def import_folder(folder: str) -> List[Dict[str, str]]:
    """Imports every module of `folder`, which goes to the front of sys.path; what could not be imported, as worker problems."""
    path = Path(folder).resolve()
    if not path.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    sys.path.insert(0, str(path))
    return import_modules(list_modules(path), str(path))


def import_modules(names: List[str], root: str = "") -> List[Dict[str, str]]:
    """[{module, title, traceback}] of those that raised; their functions are not offered."""
    problems = []
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # sys.exit() in a module, too
            forget_module(name)
            problems.append({"module": name[:200], "title": say(error)[:1000], "traceback": _explain(error, root)[:60_000]})
    return problems


def _explain(error: BaseException, root: str) -> str:
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(type(error), error)).replace(str(Path(root)) + "/", "") if root else str(error)
    return user_traceback(error, root or None)
