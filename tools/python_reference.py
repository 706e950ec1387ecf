"""docs/reference/python.md from the signatures and docstrings of the SDK; tools/check_house.py --write writes it."""
import ast
import textwrap
from pathlib import Path

SDK = Path(__file__).resolve().parents[1] / "sdk/python/src/flowpilot"

# Section, what it is for, module and names in the order in which a reader needs them.
SECTIONS = [
    ("Functions as steps", "A function's parameters become the form of the step and what is checked before it runs; its result is the step's output.",
     [("task", ["task", "Retry"]), ("field", ["Field"]), ("failure", ["TaskFailure", "Cancelled"]), ("context", ["Context", "current", "TaskLog"])]),
    ("Programs that start executions", "", [("client", ["Client", "AsyncClient"]), ("execution", ["Execution", "ExecutionFailed"]), ("link", ["ApiError", "Unreachable"])]),
    ("Workflows in Python", "", [("workflow", ["Workflow", "Step", "Edge"]), ("expression", ["Expression"])]),
    ("Tests", "`from flowpilot.testing import run_task, run_workflow`", [("testing", ["run_task", "run_workflow", "TaskRun"])]),
]

# Made by the package: how is nobody's business. And members that only the package calls.
GIVEN = {"Context", "TaskLog", "Execution", "Step", "Edge", "ApiError", "ExecutionFailed"}
INTERNAL = {"Field.apply", "TaskLog.take", "Context.has_news"}

HEAD = """# The Python SDK
<!-- Written by tools/check_house.py --write from sdk/python; do not edit. -->

Python 3.9 or newer, the standard library alone. [The tutorial](../guides/python.md) shows each part at work.

| hint of a parameter | JSON that a step gives | what the function gets |
|---|---|---|
| `str` `int` `float` `bool` `None` `dict` `list` `Any` | the same; `1.5` is no `int` | the same |
| `Optional[T]`, `Union[T, U]`, `T \\| U`, `Literal[...]` | `null` or T; one of them | the first that fits |
| an `Enum` | the value of a member | the member |
| `list[T]` `tuple[T, U]` `set[T]` `dict[str, T]` | array; array of that length; array without doubles; object | the same |
| a `TypedDict` | object; other members are refused | a dict |
| a `@dataclass`, a pydantic model | object | an instance |
| `datetime` `date` `time` `UUID` `Decimal` | text (RFC 3339; digits) | the object |
| `timedelta` | number of seconds | the object |
| `Annotated[T, Field(...)]`, `Annotated[T, "help"]` | as T, within its bounds | as T |

Defaults, and the lines under `Args:` in the docstring, are the form's defaults and help. `bytes` have no JSON form: take base64 text, or a path.
What a function returns may be any of these too.

"""


def render() -> str:
    out = [HEAD]
    for title, prose, modules in SECTIONS:
        out.append(f"## {title}\n")
        if prose:
            out.append(prose + "\n")
        for module, names in modules:
            tree = ast.parse((SDK / f"{module}.py").read_text(encoding="utf-8"))
            for name in names:
                # The last definition: those before it are overloads.
                found = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name][-1]
                out.append(render_class(found) if isinstance(found, ast.ClassDef) else render_function(found, "### "))
    return "\n".join(out).rstrip() + "\n"


def render_class(node: ast.ClassDef) -> str:
    made = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
    base = ast.unparse(node.bases[0]) if node.bases else ""
    call = signature(made, node.name) if made else f"{node.name}({fields(node)})" if fields(node) else ""
    out = [f"### `{node.name}`\n", code(call) if call and node.name not in GIVEN else "", (f"*{base}*. " if base.endswith(("Exception", "Error")) else "") + prose_of(node) + "\n"]
    for item in node.body:
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) or item.name.startswith("_") or (not ast.get_docstring(item) and not is_property(item)):
            continue
        if f"{node.name}.{item.name}" not in INTERNAL:
            out.append(member(item))
    return "\n".join(line for line in out if line) + "\n"


def member(node: ast.FunctionDef) -> str:
    label = f"`{node.name}`" if is_property(node) else f"`{signature(node, node.name)}`"
    text = prose_of(node) or "`" + ast.unparse(node.returns) + "`"
    return f"- {label}: {text}"


def render_function(node: ast.FunctionDef, level: str) -> str:
    return f"{level}`{node.name}`\n\n{code(signature(node, node.name))}\n{prose_of(node)}\n"


def code(text: str) -> str:
    return "```\n" + "\n".join(textwrap.wrap(text, 140, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)) + "\n```"


def is_property(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "property" for one in node.decorator_list)


def fields(node: ast.ClassDef) -> str:
    return ", ".join(ast.unparse(item).split("=")[0].strip() + (" = " + ast.unparse(item.value) if item.value and "field(" not in ast.unparse(item.value) else "")
                     for item in node.body if isinstance(item, ast.AnnAssign))


def signature(node: ast.FunctionDef, name: str) -> str:
    """As it is called: without self, and without what only the package itself gives."""
    arguments = ast.parse(ast.unparse(node)).body[0].args
    for group in (arguments.args, arguments.posonlyargs):
        group[:] = [one for one in group if one.arg != "self"]
    result = f" -> {ast.unparse(node.returns)}" if node.returns is not None and node.name != "__init__" else ""
    return ("await " if isinstance(node, ast.AsyncFunctionDef) else "") + f"{name}({ast.unparse(arguments)}){result}".replace("'", '"')


def prose_of(node: ast.AST) -> str:
    return ast.get_docstring(node) or ""
