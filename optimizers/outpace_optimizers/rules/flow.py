"""Small dataflow over one statement list: which statement binds a name, and which loads see that binding."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from .names import dotted
from .scope import Block, Scope

NOTHING: frozenset[ast.stmt] = frozenset()


def in_place(name: str) -> bool:
    """Whether a method of this name changes its receiver: `add_`, not `__len__`."""
    return name.endswith("_") and not name.startswith("_") and not name.endswith("__")


def root(node: ast.expr) -> str | None:
    """The name under subscripts, attributes and method calls: `x` of `x.data[0].view(-1)`."""
    while True:
        if isinstance(node, (ast.Subscript, ast.Attribute, ast.Starred)):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        else:
            return node.id if isinstance(node, ast.Name) else None


def changes(node: ast.AST) -> Iterator[str]:
    """Names that this one node (not its children) rebinds or mutates."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.id
    elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield root(node) or ""
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and in_place(node.func.attr):
            yield root(node.func.value) or ""
            if (dotted(node.func) or "").startswith(("nn.init", "torch.nn.init", "init.", "torch.")) and node.args:
                yield root(node.args[0]) or ""
        for key in node.keywords:
            if key.arg == "out":
                yield root(key.value) or ""
            elif key.arg == "inplace" and node.args and not _false(key.value):
                yield root(node.args[0]) or ""
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield (alias.asname or alias.name).split(".")[0]
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from node.names
    elif isinstance(node, ast.arg):
        yield node.arg


def _false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def changed(node: ast.AST, skip: Set[ast.stmt] = NOTHING) -> set[str]:
    """Names that `node` or anything below it rebinds or mutates, statements in `skip` left out."""
    if isinstance(node, ast.stmt) and node in skip:
        return set()
    found = set(changes(node))
    for child in ast.iter_child_nodes(node):
        found |= changed(child, skip)
    return found


def last_change(block: Block, before: int, name: str, skip: Set[ast.stmt] = NOTHING) -> int:
    """Index of the last statement before `before` that binds or mutates `name`; -1 for none."""
    for index in range(before - 1, -1, -1):
        if name in changed(block[index], skip):
            return index
    return -1


def loads(node: ast.AST, name: str) -> list[ast.Name]:
    return [
        child
        for child in ast.walk(node)
        if isinstance(child, ast.Name) and child.id == name and isinstance(child.ctx, ast.Load)
    ]


def names_in(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def rebinds(statement: ast.stmt, name: str) -> bool:
    """Whether after this statement no earlier value of `name` can be seen."""
    if isinstance(statement, ast.Assign):
        return any(
            isinstance(child, ast.Name) and child.id == name and isinstance(child.ctx, ast.Store)
            for target in statement.targets
            for child in ast.walk(target)
        )
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return isinstance(statement.target, ast.Name) and statement.target.id == name
    return isinstance(statement, (ast.Return, ast.Raise))


def later_loads(scope: Scope, block: Block, index: int, name: str) -> list[ast.Name] | None:
    """Loads that may see the value which block[index] gave to `name`; None where it may escape the block."""
    found: list[ast.Name] = []
    for statement in block[index + 1 :]:
        found.extend(loads(statement, name))
        if rebinds(statement, name):
            return found
    if block is scope.function.body:
        return found
    inside = {id(node) for statement in block[index + 1 :] for node in loads(statement, name)}
    own = {id(node) for node in ast.walk(block[index])}
    first = block[index].lineno
    in_loop = any(isinstance(node, (ast.For, ast.While, ast.AsyncFor)) for node in ancestors(scope, block[index]))
    for node in loads(scope.function, name):
        if id(node) not in inside and id(node) not in own and (node.lineno > first or in_loop):
            if node.lineno < first and last_change(block, index, name) >= 0:
                continue
            return None
    return found


def unneeded(scope: Scope, block: Block, chain: list[int], node: ast.expr) -> frozenset[ast.stmt]:
    """Of the statements that lead to `node`, those that nobody else reads; `chain` is in order."""
    removed: set[ast.stmt] = set()
    own = {id(item) for item in ast.walk(node)}
    for place in reversed(chain):
        statement = block[place]
        reads = [later_loads(scope, block, place, name) for name in changed(statement)]
        if all(found is not None and all(id(read) in own for read in found) for found in reads):
            removed.add(statement)
            own |= {id(item) for item in ast.walk(statement)}
    return frozenset(removed)


def mutates(statement: ast.stmt) -> bool:
    """Whether it may change a tensor that another name holds too: all but plain bindings of names."""
    for node in ast.walk(statement):
        if isinstance(node, ast.AugAssign):
            return True
        if not isinstance(node, ast.Name) and any(changes(node)):
            return True
    return False


def first_event(node: ast.AST, name: str) -> str:
    """What `node` does first with the name: `read`, `kill` (surely rebinds it), or nothing."""
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        head = node.test if isinstance(node, ast.While) else node.iter
        if loads(head, name):
            return "read"
        if not isinstance(node, ast.While) and name in names_in(node.target):
            return ""
        return "read" if "read" in (first_of(node.body, name), first_of(node.orelse, name)) else ""
    if isinstance(node, ast.If):
        events = {first_of(node.body, name), first_of(node.orelse, name)}
        return "read" if loads(node.test, name) or "read" in events else "kill" if events == {"kill"} else ""
    if isinstance(node, ast.With):
        return "read" if any(loads(item, name) for item in node.items) else first_of(node.body, name)
    if _free_load(node, name) or (isinstance(node, ast.AugAssign) and name in changed(node.target)):
        return "read"
    return "kill" if isinstance(node, ast.stmt) and rebinds(node, name) else ""


def _free_load(node: ast.AST, name: str) -> bool:
    """Whether `node` reads the name, comprehensions that bind it themselves left out."""
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        if any(name in names_in(part.target) for part in node.generators):
            return _free_load(node.generators[0].iter, name)
    elif isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Load)
    return any(_free_load(child, name) for child in ast.iter_child_nodes(node))


def first_of(block: Block, name: str) -> str:
    return next((event for event in (first_event(node, name) for node in block) if event), "")


def live_after(scope: Scope, node: ast.stmt, name: str) -> bool:
    """Whether somebody may read the value that `name` has after this statement."""
    place = scope.block_of(node)
    if place is None:
        return True
    event = first_of(place[0][place[1] + 1 :], name)
    if event:
        return event == "read"
    parent = scope.parents.get(node)
    if isinstance(parent, (ast.For, ast.While)) and first_of(parent.body, name) == "read":
        return True
    if isinstance(parent, ast.While) and loads(parent.test, name):
        return True
    return isinstance(parent, ast.stmt) and parent is not scope.function and live_after(scope, parent, name)


def ancestors(scope: Scope, node: ast.AST) -> Iterator[ast.AST]:
    parent = scope.parents.get(node)
    while parent is not None:
        yield parent
        parent = scope.parents.get(parent)


def number(node: ast.expr | None) -> float | None:
    """The value of a literal number, signs and simple arithmetic included, `float("-inf")` too."""
    if isinstance(node, ast.Constant):
        value = node.value
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = number(node.operand)
        return None if inner is None else -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Attribute) and node.attr in ("inf", "Inf", "infty"):
        return float("inf")
    if isinstance(node, ast.Name) and node.id == "inf":
        return float("inf")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("float", "int"):
        if len(node.args) == 1 and isinstance(node.args[0], ast.Constant):
            try:
                return float(node.args[0].value)  # type: ignore[arg-type]
            except (ValueError, TypeError):
                return None
        return number(node.args[0]) if len(node.args) == 1 else None
    if isinstance(node, ast.BinOp):
        return _arithmetic(node)
    return None


def _arithmetic(node: ast.BinOp) -> float | None:
    left, right = number(node.left), number(node.right)
    if left is None or right is None:
        return None
    try:
        match node.op:
            case ast.Mult():
                return left * right
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Div():
                return left / right
            case ast.Pow():
                return float(left**right)
            case _:
                return None
    except (ArithmeticError, TypeError, ValueError):
        return None
