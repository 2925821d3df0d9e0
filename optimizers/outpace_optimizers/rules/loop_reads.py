"""loop-reads: numbers of a tensor that a loop reads one after the other are read at once, before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass, Patch

from .aliasing import aliases, changes_self, mutated
from .batch_loop import is_tensor
from .flow import changed, names_in
from .names import own_nodes
from .pure_ops import PURE
from .scope import Scope, scopes
from .writing import Edit, make_patch

_HARMLESS = frozenset({"range", "len", "enumerate", "zip", "int", "float", "bool", "print", "isinstance"})
_BUILT_IN = frozenset({"int", "float", "bool"})


@dataclass(frozen=True, slots=True)
class Read:
    """`node` reads the number, or the row of numbers, `taken` = `tensor[index]`."""

    node: ast.Call
    taken: ast.Subscript
    called: str


class LoopReads:
    id = "loop-reads"
    title = "Read numbers from the device once, before the loop"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/loop-reads.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            inner = set[ast.AST]()
            for node in own_nodes(scope.function):
                patch = _read_once(code, scope, node) if isinstance(node, ast.For) and node not in inner else None
                inner |= set(ast.walk(node)) if patch is not None else set[ast.AST]()
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"read numbers once before the loop in {scope.definition.qualname}",
                        "each read waits for all that the device has to do, and the loop waits in every iteration",
                        self.claimed_class,
                        patch,
                    )


def _read_once(code: Code, scope: Scope, loop: ast.For) -> Patch | None:
    counters = _counters(loop)
    found = [read for node in ast.walk(loop) if (read := _read(scope, node, counters, loop)) is not None]
    if not counters or not found or changes_self(scope, loop):
        return None
    edit, lists = Edit(), dict[str, str]()
    for read in found:
        tensor = scope.text(read.taken.value)
        if tensor not in lists:
            lists[tensor] = scope.names.fresh(f"{tensor.rpartition('.')[2]}_list")
            edit.before(scope.source, loop, [f"{lists[tensor]} = {_whole(scope, read.taken.value)}"])
        text = f"{lists[tensor]}[{scope.text(read.taken.slice)}]"
        edit.expression(scope.source, read.node, f"{read.called}({text})" if read.called in _BUILT_IN else text)
    return make_patch(scope.source, code, scope.definition, edit)


def _whole(scope: Scope, tensor: ast.expr) -> str:
    """All numbers; of what may be a list of tensors, which has the same reads in its loop, those of each."""
    text = scope.text(tensor)
    if is_tensor(scope, tensor):
        return f"{text}.tolist()"
    check, _ = scope.names.spell("torch.is_tensor")
    return f"{text}.tolist() if {check}({text}) else [one.tolist() for one in {text}]"


def _counters(loop: ast.For) -> set[str]:
    """Names that count iterations: the loop's own, and of `range` loops within."""
    found = set[str]()
    for node in (item for item in ast.walk(loop) if isinstance(item, ast.For)):
        match node.target, node.iter:
            case ast.Name(id=name), ast.Call(func=ast.Name(id="range")):
                found.add(name)
            case ast.Tuple(elts=[ast.Name(id=name), *_]), ast.Call(func=ast.Name(id="enumerate"), args=[_]):
                found.add(name)
            case _:
                pass
    return found


def _read(scope: Scope, node: ast.AST, counters: set[str], loop: ast.For) -> Read | None:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Subscript() as taken, attr="item" | "tolist" as called), args=[]):
            pass
        case ast.Call(func=ast.Name(id="int" | "float" | "bool" as called), args=[ast.Subscript() as taken]):
            if called in scope.names.bound or not is_tensor(scope, taken.value):
                return None
        case _:
            return None
    if node.keywords or not isinstance(taken.value, (ast.Name, ast.Attribute)) or not _counted(taken.slice, counters):
        return None
    known = is_tensor(scope, taken.value) or (scope.names.table.get("torch") == "torch" and called != "item")
    return Read(node, taken, called) if known and _steady(scope, taken, counters, loop) else None


def _counted(node: ast.expr, counters: set[str]) -> bool:
    """Whether it is arithmetic of a counter and whole numbers, not of tensors or masks."""
    match node:
        case ast.Name(id=name):
            return name in counters
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant(value=int())):
            return _counted(left, counters)
        case _:
            return False


def _steady(scope: Scope, taken: ast.Subscript, counters: set[str], loop: ast.For) -> bool:
    """Whether the loop changes nothing that the read may see. What is handed to another function may change there."""
    names = names_in(taken.value) - {scope.self_name}
    touched = aliases(scope, mutated(loop) - {""})
    inside = set[str]().union(*(changed(item) for item in loop.body))
    rebound = [item for item in ast.walk(loop) if isinstance(item, ast.For) and item is not loop]
    headers = set[str]().union(*(names_in(item.target) for item in rebound), names_in(loop.target))
    once = not (inside - headers) & counters
    kept = (
        not _given_away(scope, loop, names)
        and not names & (touched | inside | headers)
        and scope.text(taken.value) not in _stored(loop)
    )
    return once and kept


def _given_away(scope: Scope, loop: ast.For, names: set[str]) -> bool:
    """Whether a call that may change what it gets is given one of the names as it is."""
    for node in ast.walk(loop):
        given = [*node.args, *(key.value for key in node.keywords)] if isinstance(node, ast.Call) else []
        called = scope.names.call(node)
        pure = called is not None and (called[0] in PURE or called[0].startswith("torch."))
        harmless = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _HARMLESS
        if not pure and not harmless and any(isinstance(item, ast.Name) and item.id in names for item in given):
            return True
    return False


def _stored(loop: ast.For) -> set[str]:
    """Attributes that the loop sets."""
    return {
        ast.unparse(node)
        for node in ast.walk(loop)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


RULE = LoopReads()
