"""Tensors (batch, heads, length, features) whose heads are repeated, each `times` in a row."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field

from .attention_ops import integer, pick, wrapped
from .attention_trace import plain_test
from .flow import last_change, later_loads
from .scope import Scope
from .writing import Edit

_HEADS = (1, -3)


@dataclass(frozen=True, eq=False)
class Repeated:
    """`node`, an operand, is `made` at some place before, which repeats `base`."""

    node: ast.expr
    made: ast.expr
    base: ast.expr
    times: str
    under: list[ast.stmt] = field(default_factory=list[ast.stmt])
    """What goes with it: `if groups > 1: k = repeat(k)`."""

    def write(self, scope: Scope, edit: Edit, texts: dict[ast.expr, str]) -> None:
        """The base in place of the repetition, here or where it was assigned; `texts` says what the operand becomes."""
        text = wrapped(scope, self.base)
        place = scope.block_of(self.made)
        statement = place[0][place[1]] if place is not None else None
        if self.node is self.made:
            texts[self.node] = text
        elif self.under:
            edit.replace(scope.source, self.under[0], [])
        elif isinstance(statement, ast.Assign) and _changes_nothing(scope, statement):
            edit.replace(scope.source, statement, [])
        else:
            edit.expression(scope.source, self.made, text)


def _changes_nothing(scope: Scope, statement: ast.Assign) -> bool:
    """Whether each name is bound to the repetition of itself."""
    target, value = statement.targets[0], statement.value
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    values = value.elts if isinstance(value, ast.Tuple) else [value]
    found = [repetition(scope, item) for item in values]
    return all(
        one is not None and ast.unparse(one[0]) == ast.unparse(to) for one, to in zip(found, targets, strict=True)
    )


def repeated(scope: Scope, node: ast.expr) -> Repeated | None:
    found = repetition(scope, node)
    if found is not None:
        return Repeated(node, node, *found)
    place = scope.block_of(node)
    if not isinstance(node, ast.Name) or place is None:
        return None
    block, at = place
    index = last_change(block, at, node.id)
    reads = later_loads(scope, block, index, node.id) if index >= 0 else None
    if not reads or len(reads) != 1 or reads[0] is not node:
        return None
    return _assigned(scope, node, block[index])


def _assigned(scope: Scope, node: ast.Name, statement: ast.stmt) -> Repeated | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == node.id:
            made: ast.expr | None = value
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            bound = [getattr(target, "id", "") for target in targets]
            made = values[bound.index(node.id)] if node.id in bound else None
        case ast.If(test=test, body=body, orelse=[]) if plain_test(test):
            return _under(scope, node, statement, body)
        case _:
            made = None
    found = repetition(scope, made) if made is not None else None
    return Repeated(node, made, *found) if made is not None and found is not None else None


def _under(scope: Scope, node: ast.Name, statement: ast.If, body: list[ast.stmt]) -> Repeated | None:
    """`if groups > 1: k, v = repeat(k), repeat(v)`, which does nothing but repeat what it is given."""
    own: Repeated | None = None
    for item in body:
        targets = item.targets if isinstance(item, ast.Assign) else []
        names = targets[0].elts if len(targets) == 1 and isinstance(targets[0], ast.Tuple) else targets
        for name in names:
            one = _assigned(scope, name, item) if isinstance(name, ast.Name) else None
            if one is None or not isinstance(one.base, ast.Name) or one.base.id != one.node.id:  # type: ignore[attr-defined]
                return None
            own = Repeated(node, one.made, one.base, one.times, [statement]) if one.node.id == node.id else own  # type: ignore[attr-defined]
        if not names:
            return None
    return own


def repetition(scope: Scope, node: ast.expr) -> tuple[ast.expr, str] | None:
    """(base, how often as text) of one expression that repeats heads."""
    call = scope.names.call(node)
    if call is not None:
        name, args, keywords = call
        if name in (".repeat_interleave", "torch.repeat_interleave") and args:
            times, dim = pick(args, keywords, 1, "repeats"), integer(pick(args, keywords, 2, "dim"))
            return (args[0], ast.unparse(times)) if times is not None and dim in _HEADS else None
        if name in (".reshape", ".flatten") and args:
            return _expanded(scope, name, args)
    return _helper(scope, node)


def _expanded(scope: Scope, name: str, args: list[ast.expr]) -> tuple[ast.expr, str] | None:
    """`x[:, :, None, :, :].expand(b, h, n, t, d).reshape(b, h * n, t, d)`, or `.flatten(1, 2)`."""
    if name == ".flatten" and [integer(arg) for arg in args[1:]] != [1, 2]:
        return None
    call = scope.names.call(args[0])
    if call is None or call[0] != ".expand" or call[2]:
        return None
    sizes = call[1][1].elts if len(call[1]) == 2 and isinstance(call[1][1], ast.Tuple) else call[1][1:]
    base = _with_a_dim(scope, call[1][0])
    if base is None or len(sizes) != 5:
        return None
    shape = args[1].elts if len(args) == 2 and isinstance(args[1], ast.Tuple) else args[1:]
    if name == ".reshape" and (len(shape) != 4 or not _merged(shape, sizes)):
        return None
    return base, ast.unparse(sizes[2])


def _merged(shape: list[ast.expr], sizes: list[ast.expr]) -> bool:
    kept = zip((shape[0], shape[2], shape[3]), (sizes[0], sizes[3], sizes[4]), strict=True)
    return all(integer(size) == -1 or ast.dump(size) == ast.dump(item) for item, size in kept)


def _with_a_dim(scope: Scope, node: ast.expr) -> ast.expr | None:
    """x of `x[:, :, None]`, `x[:, :, None, :, :]` and `x.unsqueeze(2)`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        spelled = [ast.unparse(item) for item in node.slice.elts]
        return node.value if spelled in ([":", ":", "None"], [":", ":", "None", ":", ":"]) else None
    call = scope.names.call(node)
    if call is not None and call[0] == ".unsqueeze" and len(call[1]) == 2:
        return call[1][0] if integer(call[1][1]) in (2, -3) else None
    return None


def _helper(scope: Scope, node: ast.expr) -> tuple[ast.expr, str] | None:
    """`repeat_kv(x, n)`, where the file's function does nothing else."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or len(node.args) != 2 or node.keywords:
        return None
    made = scope.source.definitions.get(node.func.id)
    if made is None or not isinstance(made.node, ast.FunctionDef) or node.func.id in scope.names.bound:
        return None
    inner = Scope(scope.source, made, made.node)
    names = [arg.arg for arg in made.node.args.args]
    return (node.args[0], ast.unparse(node.args[1])) if _repeats(inner, names) else None


def _repeats(inner: Scope, names: list[str]) -> bool:
    """Whether the body takes the shape apart, returns x `if n == 1`, and else the repetition, in one step or in two."""
    if len(names) != 2 or inner.function.decorator_list:
        return False
    known: dict[str, ast.expr] = {}
    for statement in inner.function.body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=[ast.Tuple()], value=ast.Attribute(value=ast.Name(id=name), attr="shape")):
                if name != names[0]:
                    return False
            case ast.If(
                test=ast.Compare(left=ast.Name(id=name)), body=[ast.Return(value=ast.Name(id=same))], orelse=[]
            ):
                if ast.unparse(statement.test) != f"{names[1]} == 1" or same != names[0] or name != names[1]:
                    return False
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in (*known, *names):
                known[name] = value
            case ast.Return(value=ast.expr() as value):
                found = repetition(inner, _Filled(known).visit(copy.deepcopy(value)))
                return found is not None and [ast.unparse(found[0]), found[1]] == names
            case _:
                return False
    return False


class _Filled(ast.NodeTransformer):
    """A name for the view in place of which the view stands."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.known.get(node.id, node)
