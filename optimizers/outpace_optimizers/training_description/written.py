"""Lines of JSON that a script writes to a file: which file, by key."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_optimizers.rules.names import dotted


def written_json(tree: ast.Module) -> dict[str, str]:
    """Files by keys, for `file.write(json.dumps({...}))` of a file that has a name below the project."""
    opened = dict(_opened(tree))
    found: dict[str, str] = {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        receiver, _, method = (dotted(call.func) or "").rpartition(".")
        if method == "write" and receiver in opened:
            tables = (node for arg in call.args for node in ast.walk(arg) if isinstance(node, ast.Dict))
            keys = (key.value for table in tables for key in table.keys if isinstance(key, ast.Constant))
            found |= {str(key): opened[receiver] for key in keys}
    return found


def _opened(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that `open` is given, by `with` or an assignment, and the file."""
    for node in ast.walk(tree):
        pairs: list[tuple[ast.expr | None, ast.expr]] = []
        if isinstance(node, (ast.With, ast.AsyncWith)):
            pairs = [(item.optional_vars, item.context_expr) for item in node.items]
        elif isinstance(node, ast.Assign):
            pairs = [(node.targets[0], node.value)]
        for target, value in pairs:
            name = dotted(target) if target is not None else None
            if name and isinstance(value, ast.Call) and dotted(value.func) == "open" and value.args:
                path = _text(tree, value.args[0])
                if path and not path.startswith("/") and ".." not in path.split("/"):
                    yield name, path


def _text(tree: ast.Module, node: ast.expr) -> str | None:
    """Of a literal, a name that is set to one, or a flag's default."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Call) and dotted(node.func) == "os.path.join":
        parts = [_text(tree, arg) for arg in node.args]
        return "/".join(part for part in parts if part) if all(parts) else None
    name = (dotted(node) or "").rpartition(".")[2]
    return next((text for known, text in _texts(tree) if known == name), None)


def _texts(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_text(node.value):
            yield node.targets[0].id, ast.literal_eval(node.value)
        elif isinstance(node, ast.Call) and (dotted(node.func) or "").endswith("add_argument"):
            given = next((item.value for item in node.keywords if item.arg == "default"), None)
            flags = [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
            if given is not None and _is_text(given) and flags:
                yield flags[-1].lstrip("-").replace("-", "_"), ast.literal_eval(given)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
