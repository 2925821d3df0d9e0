"""What the names in a source text stand for, as far as reading tells: imports, attributes, and the ways around them
(getattr, vars, `sys.modules`, import by a string). No check of its own; `crimes` asks."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

LOCAL = "local:"
"""Before a name that no import brought in."""

# fmt: off
MODULES = frozenset((
    "builtins", "codecs", "concurrent", "gc", "gzip", "importlib", "inspect", "io", "mmap", "numpy",
    "operator", "os", "pickle", "pkgutil", "resource", "runpy", "shelve", "shutil", "socket", "sqlite3", "sys",
    "threading", "time", "timeit", "torch", "triton", "uuid",
))
# fmt: on
"""Where one of these stands behind another module's name, it is that module itself (`torch.os`)."""

SAME_AS = {"posix": "os", "_io": "io", "np": "numpy", "_operator": "operator", "_pickle": "pickle"}
LOADED = "sys.modules"
IMPORTERS = ("importlib.import_module", "importlib.__import__", "builtins.__import__", f"{LOCAL}__import__")
OWN_NAMES = ("__name__", "__module__", "__package__")
ANCESTORS = ("__mro__", "__base__", "__bases__")
LOOKUPS = ("get", "pop", "setdefault", "__getitem__")


def text_of(node: ast.AST) -> str | None:
    """The string that an expression is, where that can be read off: also one that is put together of constants."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left), text_of(node.right)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.JoinedStr):
        parts = [text_of(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
        return None if None in parts else "".join(part or "" for part in parts)
    return None


class Names:
    """Of one text. `imported`: what its import statements bind, by local name."""

    def __init__(self, tree: ast.Module) -> None:
        self.imported = dict(_imports(tree))
        self._known = dict(self.imported)
        self._classes: dict[str, str] = {}
        self._own = set(_receivers(tree))
        for node in _bound_once(tree):
            assert isinstance(node.targets[0], ast.Name)
            name = self.dotted(node.value)
            if name and not name.startswith(LOCAL):
                self._known[node.targets[0].id] = name
            elif (whose := self.class_of(node.value)) is not None:
                self._classes[node.targets[0].id] = whose

    def class_of(self, node: ast.expr) -> str | None:
        """`the class of x` for `type(x)`, `x.__class__` and what is reached through `__mro__` or `__base__`, by any
        name; None for a method's own class, and for what is no class or not known to be one."""
        if isinstance(node, ast.Name):
            return self._classes.get(node.id)
        if isinstance(node, ast.Call) and self.dotted(node.func) == f"{LOCAL}type" and len(node.args) == 1:
            return self._of_another(node.args[0])
        if isinstance(node, ast.Attribute) and node.attr == "__class__":
            return self._of_another(node.value)
        if isinstance(node, ast.Attribute):
            return f"a class reached through {node.attr}" if node.attr in ANCESTORS else self.class_of(node.value)
        return self.class_of(node.value) if isinstance(node, ast.Subscript) else None

    def _of_another(self, node: ast.expr) -> str | None:
        own = isinstance(node, ast.Name) and node.id in self._own
        return None if own else f"the class of {ast.unparse(node)}"

    def dotted(self, node: ast.expr) -> str:
        """`torch.cuda.Stream` for what is that, by whatever name; "" for what is no name."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id, f"{LOCAL}{node.id}")
        if isinstance(node, ast.Attribute):
            return self._member(node.value, node.attr)
        if isinstance(node, ast.Subscript):
            return self._looked_up(node.value, text_of(node.slice))
        return self._called(node) if isinstance(node, ast.Call) else ""

    def whole(self, node: ast.expr) -> str:
        """The same from the last module in it on: `os.system` for `torch.utils.data.os.system`."""
        parts = [SAME_AS.get(part, part) for part in self.dotted(node).split(".")]
        starts = [i for i, part in enumerate(parts[:-1]) if part in MODULES and i]
        return ".".join(parts[starts[-1] :] if starts else parts)

    def imports(self, node: ast.Call) -> bool:
        return self.whole(node.func) in IMPORTERS

    def _member(self, owner: ast.expr, name: str) -> str:
        base = self.dotted(owner)
        return f"{base}.{name}" if base else ""

    def _looked_up(self, owner: ast.expr, name: str | None) -> str:
        """An entry of a module's namespace, or of the loaded modules."""
        if name is None:
            return ""
        if self.whole(owner) == LOADED:
            return name
        if isinstance(owner, ast.Attribute) and owner.attr == "__dict__":
            return self._member(owner.value, name)
        if isinstance(owner, ast.Call) and self.dotted(owner.func) == f"{LOCAL}vars" and owner.args:
            return self._member(owner.args[0], name)
        return ""

    def _called(self, node: ast.Call) -> str:
        first = (text_of(node.args[0]) or "") if node.args else ""
        if self.imports(node) or self.whole(node.func) == "pkgutil.resolve_name":
            return first.replace(":", ".")
        if isinstance(node.func, ast.Attribute) and node.func.attr in LOOKUPS and node.args:
            return self._looked_up(node.func.value, first)
        if self.dotted(node.func) == f"{LOCAL}getattr" and len(node.args) > 1:
            attribute = text_of(node.args[1])
            return self._member(node.args[0], attribute) if attribute else ""
        if isinstance(node.func, ast.Call) and self.whole(node.func.func) == "operator.attrgetter" and node.args:
            attribute = text_of(node.func.args[0]) if node.func.args else None
            return self._member(node.args[0], attribute) if attribute else ""
        return ""


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Local name and the dotted name that it was imported as."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _receivers(tree: ast.Module) -> Iterator[str]:
    """What the methods of a text call the object or class that they are of."""
    for one in ast.walk(tree):
        for node in one.body if isinstance(one, ast.ClassDef) else ():
            if isinstance(node, ast.FunctionDef) and node.args.args:
                yield node.args.args[0].arg


def _bound_once(tree: ast.Module) -> Iterator[ast.Assign]:
    """Assignments to a name that stands for nothing else anywhere in the text, in the order of the text."""
    bound = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    bound.update(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and len(node.targets) == 1]
    for node in sorted(found, key=lambda node: node.lineno):
        target = node.targets[0]
        if isinstance(target, ast.Name) and bound[target.id] == 1:
            yield node
