"""`python -m flowpilot`: worker, check."""
from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional

from . import __version__
from .failure import note
from .modules import import_folder, import_modules
from .task import list_tasks

EPILOG = "exit status: 0 ok, 1 a module can not be imported, 2 usage, 4 wrong token, 6 another worker has these functions with other parameters"


def read_arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flowpilot", description="Python functions as steps of FlowPilot workflows.", epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"flowpilot {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    worker = commands.add_parser("worker", help="carry out the functions of modules until it is stopped", epilog=EPILOG)
    worker.add_argument("--server", default=os.environ.get("FLOWPILOT_SERVER", "http://127.0.0.1:8080"), metavar="URL", help="default %(default)s, or FLOWPILOT_SERVER")
    worker.add_argument("--token-file", default=os.environ.get("FLOWPILOT_TOKEN_FILE"), metavar="FILE", help="file with the worker token; or FLOWPILOT_TOKEN_FILE, FLOWPILOT_TOKEN")
    worker.add_argument("--name", default="", help="how the worker list shows it; default HOST-PID")
    worker.add_argument("--slots", type=int, default=8, help="functions that run at once (default 8)")
    worker.add_argument("--queue", action="append", metavar="NAME", help="queue it serves; repeat it (default: default)")
    worker.add_argument("--spool", metavar="DIR", help="where results wait that could not be sent; default in the user's state directory")
    worker.add_argument("--drain-seconds", type=float, default=30.0, metavar="N", help="time that functions have to finish after SIGTERM (default 30)")
    worker.add_argument("--config-stdin", action="store_true", help=argparse.SUPPRESS)
    check = commands.add_parser("check", help="show what a worker would offer, and what can not be imported", epilog=EPILOG)
    check.add_argument("-o", "--output", choices=("table", "json"), default="table")
    for command in (worker, check):
        command.add_argument("--tasks", metavar="DIR", help="folder whose modules are imported")
        command.add_argument("modules", nargs="*", metavar="MODULE", help="module to import, such as app.tasks")
    options = parser.parse_args(arguments)
    if not options.modules and not options.tasks:
        parser.error("name a MODULE or --tasks DIR")
    return options


def load(options: argparse.Namespace) -> List[Dict[str, str]]:
    if options.modules:
        sys.path.insert(0, os.getcwd())
    problems = import_modules(options.modules)
    if options.tasks:
        try:
            problems += import_folder(options.tasks)
        except OSError as error:
            sys.exit(f"flowpilot: {error}")
    return problems


def read_config(options: argparse.Namespace) -> Dict[str, Any]:
    """url, token, name, slots, queues, spool: of the supervising server, or of arguments and environment."""
    if options.config_stdin:
        return json.loads(sys.stdin.readline())
    token = os.environ.pop("FLOWPILOT_TOKEN", "")
    if options.token_file:
        try:
            token = Path(options.token_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            sys.exit(f"flowpilot: the token file can not be read: {error}")
    if not token:
        note("there is no worker token: give --token-file, FLOWPILOT_TOKEN_FILE or FLOWPILOT_TOKEN (the server keeps it in DATA_DIR/worker-token)")
        sys.exit(4)
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return {"url": options.server, "token": token, "name": options.name, "slots": options.slots, "queues": options.queue, "spool": options.spool or str(state / "flowpilot" / "spool")}


def watch_parent(stop: Any) -> None:
    """The supervising server keeps our standard input open as long as it lives."""
    def wait() -> None:
        while sys.stdin.readline():
            pass
        stop()
    threading.Thread(target=wait, name="parent", daemon=True).start()


def limit_memory(megabytes: int) -> None:
    """A function that asks for more gets a MemoryError, and the others go on."""
    if megabytes > 0:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, resource.getrlimit(resource.RLIMIT_AS)[1]))


def run_worker(options: argparse.Namespace) -> int:
    from .capture import install
    from .worker import Worker

    config = read_config(options)
    limit_memory(config.get("memory_mb") or 0)
    install()
    problems = load(options)
    for problem in problems:
        note(f"{problem['module']} can not be imported: {problem['title']}\n{problem['traceback']}")
    worker = Worker(config["url"], config["token"], name=config.get("name") or "", slots=config.get("slots") or 8, queues=config.get("queues"), spool=config.get("spool"),
                    problems=problems, isolation=config.get("isolation"), host=config.get("host", ""), pid=config.get("pid", 0), drain_seconds=options.drain_seconds)

    def on_signal(number: int, frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once; its leases run out
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    if options.config_stdin:
        watch_parent(worker.stop)
    status = worker.run()
    if status == 75 and not options.config_stdin:
        os.execv(sys.executable, [sys.executable, *_own_arguments()])
    return status


def _own_arguments() -> List[str]:
    original = getattr(sys, "orig_argv", None)  # from Python 3.10
    return original[1:] if original else ["-m", "flowpilot", *sys.argv[1:]]


def run_check(options: argparse.Namespace) -> int:
    problems = load(options)
    tasks = [found.spec for found in list_tasks()]
    if options.output == "json":
        print(json.dumps({"task_types": tasks, "problems": problems}, indent=2))
    else:
        width = max([len(spec["type"]) for spec in tasks], default=0)
        for spec in tasks:
            print(f"{spec['type']:<{width}}  {spec['title']}  ({', '.join(spec['config_schema']['properties']) or 'no parameters'})")
        for problem in problems:
            print(f"\n{problem['module']} can not be imported: {problem['title']}\n{problem['traceback']}", file=sys.stderr)
    return 1 if problems else 0


def main(arguments: Optional[List[str]] = None) -> None:
    options = read_arguments(arguments)
    status = run_worker(options) if options.command == "worker" else run_check(options)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status) if options.command == "worker" else sys.exit(status)  # threads of functions that do not stop hold nobody up


if __name__ == "__main__":
    main()
