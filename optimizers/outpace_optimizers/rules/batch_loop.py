"""Reads a Python loop: what it walks over, what each iteration hands out, and which tensors it slices."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from .attention_ops import integer
from .attention_ops import pick as argument
from .batch_index import Pick, Range, parse_range, pick
from .batch_size import binds
from .flow import changed, names_in
from .names import own_nodes, words
from .numbers_known import is_number
from .scope import Scope

_LISTS = words(
    "split chunk unbind tolist keys values items parameters named_parameters children modules "
    "named_modules named_children buffers splitlines tensor_split meshgrid list sorted zip range "
    "enumerate reversed tqdm map filter trange load DataLoader size shape"
)  # fmt: skip
_EVIDENCE = words(
    "shape size dim dtype device view reshape transpose permute ndim float to T mT sum mean "
    "unsqueeze squeeze contiguous expand numel requires_grad"
)


@dataclass
class Mapped:
    """The parameters of one iteration: `(parameter, tensor text, dim)` in order, without repeats."""

    entries: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    def add(self, base: str, dim: int, wanted: str, scope: Scope) -> str:
        if (base, dim) not in self.entries:
            self.entries[base, dim] = wanted if wanted not in self.entries.values() else scope.names.fresh(wanted)
        return self.entries[base, dim]


@dataclass
class Walk:
    """What a loop header gives: the index with its range, and names bound to slices directly."""

    index: str | None = None
    over: Range | None = None
    direct: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    even: list[str] = field(default_factory=list[str])
    """What has to hold for all pieces of a tensor to be of one length."""


def walk(scope: Scope, target: ast.expr, iterable: ast.expr) -> Walk | None:
    """`for i in range(n)`, `for row in x`, `for a, b in zip(x, y)`, `for i, row in enumerate(x)`."""
    over = parse_range(scope, iterable)
    if over is not None:
        return Walk(target.id, over) if isinstance(target, ast.Name) else None
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and not iterable.keywords:
        if iterable.func.id == "enumerate" and len(iterable.args) == 1:
            return _enumerated(scope, target, iterable.args[0])
        if iterable.func.id == "zip" and isinstance(target, ast.Tuple) and len(target.elts) == len(iterable.args):
            found = [walk(scope, item, arg) for item, arg in zip(target.elts, iterable.args, strict=True)]
            if any(item is not None and item.direct for item in found):
                found = [
                    item or _partner(scope, name, arg)
                    for item, name, arg in zip(found, target.elts, iterable.args, strict=True)
                ]
            if any(item is None or item.index is not None for item in found):
                return None
            walks = [item for item in found if item is not None]
            return Walk(
                direct=[entry for item in walks for entry in item.direct],
                even=[test for item in walks for test in item.even],
            )
    if not isinstance(target, ast.Name):
        return None
    source = _elements(scope, iterable)
    if source is None and _tensor_elements(scope, target.id, iterable):
        return Walk(direct=[(target.id, scope.text(iterable), 0)])
    return Walk(direct=[(target.id, *source[:2])], even=source[2]) if source is not None else None


def _tensor_elements(scope: Scope, target: str, node: ast.expr) -> bool:
    """A bare parameter, not in the plural, whose elements are used as tensors: taken for a tensor."""
    if not isinstance(node, ast.Name) or node.id.endswith("s") or _partner(scope, node, node) is None:
        return False
    return _tensor_name(scope, target, 2)


def _partner(scope: Scope, target: ast.expr, node: ast.expr) -> Walk | None:
    """A bare parameter zipped with a known tensor: taken for a tensor too."""
    if not isinstance(target, ast.Name) or not isinstance(node, ast.Name):
        return None
    args = scope.function.args
    plain = {arg.arg for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs] if arg.annotation is None}
    rebound = any(isinstance(item, ast.Assign) and binds(item, node.id) for item in own_nodes(scope.function))
    return Walk(direct=[(target.id, node.id, 0)]) if node.id in plain and not rebound else None


def _enumerated(scope: Scope, target: ast.expr, iterable: ast.expr) -> Walk | None:
    if not isinstance(target, ast.Tuple) or len(target.elts) != 2 or not isinstance(target.elts[0], ast.Name):
        return None
    inner = walk(scope, target.elts[1], iterable)
    if inner is None or inner.index is not None or len(inner.direct) != 1:
        return None
    _, base, dim = inner.direct[0]
    stop = f"{base}.shape[{dim}]" if dim else f"len({base})"
    node = ast.parse(stop, mode="eval").body
    return Walk(target.elts[0].id, Range("0", stop, "", node, True), inner.direct, inner.even)


def _elements(scope: Scope, node: ast.expr) -> tuple[str, int, list[str]] | None:
    """(tensor, dim) whose slices an iteration over `node` gives, and what has to hold for that."""
    call = scope.names.call(node)
    if call is not None and call[1]:
        name, args, keywords = call
        if name in (".unbind", "torch.unbind"):
            dim = integer(argument(args, keywords, 1, "dim")) if len(args) > 1 or "dim" in keywords else 0
            return (_base_text(scope, args[0]), dim, []) if dim is not None else None
        if name in (".chunk", "torch.chunk", ".split", "torch.split"):
            size = argument(args, keywords, 1, "chunks", "split_size", "split_size_or_sections")
            dim = integer(argument(args, keywords, 2, "dim")) if len(args) > 2 or "dim" in keywords else 0
            if size is None or dim is None or not is_number(scope, size):  # a list of sizes: pieces differ in length
                return None
            parts = f"({scope.text(size)}, -1)" if name.endswith("chunk") else f"(-1, {scope.text(size)})"
            base, length = _base_text(scope, args[0]), f"{_base_text(scope, args[0])}.shape[{dim}]"
            if not isinstance(args[0], (ast.Name, ast.Attribute)):  # its size would take another call
                return None
            divisor = f"({scope.text(size)})" if isinstance(size, ast.BinOp) else scope.text(size)
            even = f"{length} and {length} % {divisor} == 0"
            return f"{base}.unflatten({dim}, {parts})", dim - (dim < 0), [even]
    if isinstance(node, ast.Name):
        made = _list_definition(scope, node)
        if made is not None:
            return _elements(scope, made)
    return (_base_text(scope, node), 0, []) if is_tensor(scope, node) else None


def _list_definition(scope: Scope, node: ast.Name) -> ast.expr | None:
    """The one `x.chunk(...)` behind a name, where its tensor keeps its value afterwards."""
    made = [item for item in own_nodes(scope.function) if isinstance(item, ast.Assign) and binds(item, node.id)]
    if len(made) != 1 or not isinstance(made[0].targets[0], ast.Name) or not isinstance(made[0].value, ast.Call):
        return None
    call = scope.names.call(made[0].value)
    if call is None or call[0].rpartition(".")[2] not in ("chunk", "split", "unbind"):
        return None
    names = names_in(made[0].value)
    later = [item for item in own_nodes(scope.function) if isinstance(item, ast.stmt) and item.lineno > made[0].lineno]
    return None if any(names & changed(item) for item in later) else made[0].value


def _base_text(scope: Scope, node: ast.expr) -> str:
    text = scope.text(node)
    return text if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)) else f"({text})"


def is_tensor(scope: Scope, node: ast.expr, depth: int = 4) -> bool:
    """Whether the expression is a tensor, by how it is made or used; lists, loaders and modules are not."""
    if depth == 0:
        return False
    match node:
        case ast.Call(func=func):
            name = scope.names.resolve(func) or ""
            word = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            if word in _LISTS and scope.module(func) is None:
                return False
            return name.startswith("torch.") or (
                isinstance(func, ast.Attribute) and is_tensor(scope, func.value, depth - 1)
            )
        case ast.Subscript(value=value):
            return is_tensor(scope, value, depth - 1)
        case ast.BinOp(left=left, right=right):
            return isinstance(node.op, ast.MatMult) or any(is_tensor(scope, item, depth - 1) for item in (left, right))
        case ast.Attribute(attr=attr, value=value):
            made = scope.attribute(node)
            if made is not None:
                call = scope.construction.resolve(made.func) if isinstance(made, ast.Call) else None
                call = call or ""
                return call == "torch.nn.Parameter" or (call.startswith("torch.") and not call.startswith("torch.nn."))
            return attr in ("T", "mT", "weight", "bias") or (
                attr in ("data", "grad") and is_tensor(scope, value, depth - 1)
            )
        case ast.Name(id=name):
            return _tensor_name(scope, name, depth)
        case _:
            return False


def _tensor_name(scope: Scope, name: str, depth: int) -> bool:
    evidence = False
    for node in own_nodes(scope.function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    value = node.value
                    if isinstance(value, (ast.List, ast.ListComp, ast.Tuple, ast.Dict, ast.Constant)):
                        return False
                    word = (
                        value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else ""
                    )
                    layer = isinstance(value, ast.Call) and scope.module(value.func) is not None
                    if (word in _LISTS and not layer) or (
                        isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _LISTS
                    ):
                        return False
                    evidence = evidence or is_tensor(scope, value, depth - 1)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
            if node.attr in ("append", "items", "keys", "extend"):
                return False
            evidence = evidence or node.attr in _EVIDENCE
        evidence = evidence or _used_as_tensor(scope, node, name)
    args = scope.function.args
    for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]:
        if arg.arg == name and arg.annotation is not None:
            text = ast.unparse(arg.annotation)
            return text.split(".")[-1].strip("'\"") in ("Tensor", "FloatTensor") or (evidence and "ist" not in text)
    return evidence


def _used_as_tensor(scope: Scope, node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
        return isinstance(node.slice, ast.Tuple)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return any(isinstance(side, ast.Name) and side.id == name for side in (node.left, node.right))
    if isinstance(node, ast.Call) and (scope.names.resolve(node.func) or "").startswith("torch."):
        word = (scope.names.resolve(node.func) or "").rpartition(".")[2]
        return word not in ("stack", "cat") and any(isinstance(arg, ast.Name) and arg.id == name for arg in node.args)
    return False


@dataclass(frozen=True)
class Count:
    """The index itself, compared with the tensor `beside`: one number of a range on its device."""

    node: ast.Name
    mapped: str
    beside: ast.expr
    axis: int = 0


def _compared(scope: Scope, node: ast.AST, over: Range, index: str) -> Count | None:
    """`labels == i`."""
    match node:
        case ast.Compare(left=left, ops=[_], comparators=[right]):
            pass
        case _:
            return None
    for one, other in ((left, right), (right, left)):
        plain = isinstance(other, (ast.Name, ast.Attribute)) and is_tensor(scope, other)
        if isinstance(one, ast.Name) and one.id == index and plain:
            arange, needed = scope.names.spell("torch.arange")
            first = "" if over.uses_zero and not over.step else f"{over.start}, "
            last = f", {over.step}" if over.step else ""
            text = f"{arange}({first}{over.stop}{last}, device={scope.text(other)}.device)"
            return Count(one, text, other) if needed is None else None
    return None


def picks(scope: Scope, parts: list[ast.AST], header: Walk, inline: dict[str, ast.expr]) -> list[Pick | Count] | None:
    """Every slice that the index takes in `parts`, and where it is compared with a tensor; None where the index is
    used in any other way.
    """
    if header.index is None or header.over is None:
        return []
    found: list[Pick | Count] = []
    covered: set[ast.AST] = set()
    for node in _subscripts(parts):
        names = names_in(node.slice)
        if node in covered or not (header.index in names or names & set(inline)):
            continue
        if not isinstance(node.ctx, ast.Load) or not indexable(scope, node.value):
            return None
        made = pick(scope, node, header.index, inline, header.over)
        if made is None:
            return None
        found.append(made)
        covered |= set(ast.walk(node))
    for node in (node for part in parts for node in ast.walk(part)):
        counted = _compared(scope, node, header.over, header.index)
        if counted is not None:
            found.append(counted)
            covered.add(counted.node)
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and node not in covered and (node.id == header.index or node.id in inline):
                return None
    return found


def _subscripts(parts: list[ast.AST]) -> Iterator[ast.Subscript]:
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Subscript):
                yield node


def indexable(scope: Scope, node: ast.expr) -> bool:
    """A tensor that a loop may slice: known by its making, or a name that nothing shows to be a list."""
    if isinstance(node, ast.Name):
        made = [item for item in own_nodes(scope.function) if isinstance(item, ast.Assign) and binds(item, node.id)]
        if any(
            isinstance(item.value, (ast.List, ast.ListComp, ast.Tuple, ast.Dict, ast.BinOp))
            and not is_tensor(scope, item.value)
            for item in made
        ):
            return False
        return is_tensor(scope, node) or not made
    return is_tensor(scope, node)
