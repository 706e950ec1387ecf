# What runs a python step inside its jail: waits on descriptor 3 for one order, runs it, sends back a result or why there
# is none. Frames are a 4-byte little-endian length, a kind (one byte) and JSON. Everything the step may spoil (modules,
# builtins, this file's own names) is its own process's; the server trusts nothing that comes back.
import json
import logging
import os
import sys
import traceback

FILE = "<code>"
MOST_RESULT = 16 << 20
MOST_MESSAGE = 4000


def send(kind, value):
    body = kind + json.dumps(value, ensure_ascii=True, allow_nan=False).encode()
    data = memoryview(len(body).to_bytes(4, "little") + body)
    while data:
        data = data[os.write(3, data):]


def receive():
    def take(count):
        parts = []
        while count:
            part = os.read(3, min(count, 1 << 20))
            if not part:
                os._exit(0)  # the server is gone, or has no use for this process
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    return json.loads(take(int.from_bytes(take(4), "little")))


class LogHandler(logging.Handler):
    LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"))

    def emit(self, record):
        try:
            level = next((name for least, name in self.LEVELS if record.levelno >= least), "debug")
            send(b"L", {"level": level, "text": self.format(record)[:MOST_MESSAGE * 4]})
        except Exception:
            pass


class NotJson(Exception):
    pass


def check(value, path, above, depth=0):
    """Finds what JSON would refuse, or lose silently, and says where it is."""
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 64:
            raise NotJson(f"{path} is an integer beyond 64 bits; send it as text")
        return
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise NotJson(f"{path} is {value!r}, which JSON does not have")
        return
    if not isinstance(value, (dict, list, tuple)):
        raise NotJson(f"{path} is of type {type(value).__name__}, which is not JSON" + HINTS.get(type(value).__name__, ""))
    if id(value) in above:
        raise NotJson(f"{path} holds itself")
    if depth >= 200:
        raise NotJson(f"{path[:200]} is nested more than 200 levels deep")
    above = above | {id(value)}
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotJson(f"{path} has the key {key!r:.60} of type {type(key).__name__}; keys must be text")
            check(item, f"{path}.{key}", above, depth + 1)
    else:
        for index, item in enumerate(value):
            check(item, f"{path}[{index}]", above, depth + 1)


HINTS = {"datetime": " (use .isoformat())", "date": " (use .isoformat())", "set": " (use sorted() or list())", "bytes": " (use .decode() or base64)",
         "Decimal": " (use str() or float())", "coroutine": " (await it)", "generator": " (use list())"}


def compile_step(code):
    """The code as a function of `input` when it returns something, as a script that sets `result` otherwise; line numbers stay."""
    import _ast
    tree = compile(code, FILE, "exec", _ast.PyCF_ONLY_AST)
    if not has_return(tree.body, _ast):
        return compile(tree, FILE, "exec", _ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), False
    place = dict(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
    arguments = _ast.arguments(posonlyargs=[], args=[_ast.arg(arg="input", **place)], kwonlyargs=[], kw_defaults=[], defaults=[])
    rest = dict(decorator_list=[], returns=None, type_comment=None, **({"type_params": []} if sys.version_info >= (3, 12) else {}))
    for kind in (_ast.FunctionDef, _ast.AsyncFunctionDef):
        tree.body = [kind(name="step", args=arguments, body=tree.body if kind is _ast.FunctionDef else tree.body[0].body, **rest, **place)]
        try:
            return compile(tree, FILE, "exec"), True
        except SyntaxError as error:
            if kind is _ast.AsyncFunctionDef or "async" not in str(error):
                raise


def has_return(body, ast):
    for node in body:
        if isinstance(node, ast.Return):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for field in ("body", "orelse", "finalbody"):
            if has_return(getattr(node, field, ()), ast):
                return True
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            if has_return(part.body, ast):
                return True
    return False


def run(code, is_function, data):
    import types
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    names = module.__dict__
    names["input"] = data
    if is_function:
        exec(code, names)
        result = names.pop("step")(data)
    else:
        import inspect
        result = eval(code, names)
        if not inspect.iscoroutine(result):
            return names.get("result")
    if hasattr(result, "__await__"):
        import asyncio

        async def wait():
            return await result

        result = asyncio.run(wait())
    return result if is_function else names.get("result")


def frames_of(error, code):
    lines = code.splitlines()
    out = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == FILE and len(out) < 64:
            text = lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""
            out.append({"function": "" if frame.f_code.co_name in ("step", "<module>") else frame.f_code.co_name, "line": number, "text": text})
    return out


def text_of(error):
    try:
        return str(error)[:MOST_MESSAGE]
    except BaseException:
        return "(an exception that can not be printed)"


def explain(error, code):
    name = type(error).__name__
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        return {"kind": "exit", "status": status, "message": "" if isinstance(error.code, (int, type(None))) else text_of(error)}
    kind = "recursion" if isinstance(error, RecursionError) else "memory" if isinstance(error, MemoryError) else "exception"
    out = {"kind": kind, "type": name, "message": text_of(error), "traceback": frames_of(error, code)}
    if isinstance(error, OSError) and isinstance(error.errno, int):
        out["errno"] = error.errno
    return out


def limit_memory(most):
    if most:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main():
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, handlers=[LogHandler()], format="%(message)s")
    send(b"H", sys.version.split()[0])
    order = receive()
    code = order["code"]
    limit_memory(order["address_space"])
    try:
        compiled, is_function = compile_step(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        position = {"line": getattr(error, "lineno", 0) or 0, "column": getattr(error, "offset", 0) or 0}
        return send(b"E", {"kind": "syntax", "type": type(error).__name__, "message": getattr(error, "msg", None) or text_of(error), **position})
    try:
        result = run(compiled, is_function, order["input"])
    except BaseException as error:
        answer = b"E", explain(error, code)
    else:
        answer = to_answer(result)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    send(*answer) if answer[0] == b"E" else send_text(answer[1])


def to_answer(result):
    try:
        check(result, "result", frozenset())
        text = json.dumps(result, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except NotJson as error:
        return b"E", {"kind": "result", "message": str(error)[:MOST_MESSAGE]}
    except RecursionError:
        return b"E", {"kind": "result", "message": "the result is nested too deeply"}
    except MemoryError:
        return b"E", {"kind": "memory", "type": "MemoryError", "message": "the result does not fit into memory", "traceback": []}
    except Exception as error:
        return b"E", {"kind": "result", "message": f"the result can not be written as JSON: {text_of(error)}"}
    if len(text) > MOST_RESULT:
        return b"E", {"kind": "too_large", "message": f"the result is {len(text)} bytes; {MOST_RESULT} are the most"}
    return b"R", text


def send_text(text):
    data = memoryview((len(text) + 1).to_bytes(4, "little") + b"R" + text)
    while data:
        data = data[os.write(3, data):]


main()
os._exit(0)  # threads and exit hooks of the step end here
