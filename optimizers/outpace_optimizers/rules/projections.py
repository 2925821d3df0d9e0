"""Linear maps inside a loop over time: of a slice of what the loop reads, and of what each step appends to a list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from .aliasing import aliases
from .attention_ops import integer
from .batch_size import same_size
from .flow import ancestors, changed, loads, names_in
from .invariants import Finder
from .names import own_nodes
from .norm_sites import bound_name
from .numbers_known import is_shape
from .scope import Block, Scope

_LATER = (ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
_ENDS = (ast.Break, ast.Continue, ast.Return, ast.Yield, ast.YieldFrom, ast.Raise, ast.Await)
_HOOK = "register_forward"


@dataclass(frozen=True, eq=False)
class Taken:
    """`node`, the map of a slice along `dim`; `text` is the map of all slices."""

    node: ast.expr
    text: str
    dim: int
    word: str


@dataclass(frozen=True, eq=False)
class Kept:
    """`appended`, a map of `state`, goes into a list that only `stacked` reads, a `torch.stack`; `gone` made it."""

    appended: ast.expr
    state: str
    layer: str
    stacked: ast.Call
    gone: ast.stmt | None


@dataclass
class Loop:
    node: ast.For
    index: str
    taken: list[Taken] = field(default_factory=list[Taken])
    kept: list[Kept] = field(default_factory=list[Kept])
    gone: list[ast.stmt] = field(default_factory=list[ast.stmt])
    """Statements that name a slice which nobody reads any more."""
    unread: bool = False
    """Of a loop that walks over the slices themselves, without an index: whether nobody reads them any more."""


def loops(scope: Scope) -> Iterator[Loop]:
    """The loops over a whole dimension of a tensor that have something to move."""
    if _HOOK in scope.source.text:
        return
    for node in own_nodes(scope.function):
        if isinstance(node, ast.For):
            found = _Reader(scope, node).loop()
            if found is not None and (found.taken or found.kept):
                yield found


class _Reader:
    def __init__(self, scope: Scope, node: ast.For) -> None:
        self.scope = scope
        self.node = node
        self.finder = Finder(scope, node, set())

    def loop(self) -> Loop | None:
        walked = self._walked()
        if walked is not None:
            return self._of_slices(*walked)
        stop = _stop(self.node)
        if stop is None or not isinstance(self.node.target, ast.Name) or self.node.orelse or self.finder.trains:
            return None
        index = self.node.target.id
        if self._ends_early() or index in set().union(*map(changed, self.node.body)):
            return None
        found = Loop(self.node, index)
        slices = dict(self._named(stop, index))
        for place, statement in enumerate(self.node.body):
            taken = list(self._taken(statement, stop, index, slices))
            found.taken += taken
            name = bound_name(statement)
            if name and taken and getattr(statement, "value", None) is taken[0].node and self._settled(name, place):
                slices[name] = (taken[0].text, taken[0].dim, statement)
        consumed = {id(item) for taken in found.taken for item in ast.walk(taken.node)}
        for name, (_, _, statement) in slices.items():
            if all(id(read) in consumed for read in loads(self.scope.function, name)):
                found.gone.append(statement)
        unread = {id(item) for statement in found.gone for item in ast.walk(statement)}
        found.taken = [taken for taken in found.taken if id(taken.node) not in unread]
        found.kept += self._kept(batched=any(taken.dim == 1 for taken in found.taken))
        return found

    def _ends_early(self) -> bool:
        return any(isinstance(item, _ENDS) for statement in self.node.body for item in ast.walk(statement))

    def _walked(self) -> tuple[str, str, int] | None:
        """("x_t", "x", 1) of `for x_t in x.unbind(1)`."""
        call = self.scope.names.call(self.node.iter)
        if call is None or call[0] not in (".unbind", "torch.unbind") or not isinstance(self.node.target, ast.Name):
            return None
        base, *given = [*call[1], *(node for key, node in call[2].items() if key == "dim")]
        dim = integer(given[0]) if given else 0
        if len(given) > 1 or len(given) != len(call[1]) - 1 + len(call[2]) or not isinstance(base, ast.Name):
            return None
        return (self.node.target.id, base.id, dim) if dim in (0, 1) else None

    def _of_slices(self, name: str, base: str, dim: int) -> Loop | None:
        once = self.finder.bound_once(name) and name not in self.finder.mutated and base not in self.finder.variant
        if not once or self.node.orelse or self.finder.trains or self._ends_early() or not self._settled(name, 0):
            return None
        if dim == 1 and not _longer(self.scope, base, dim):
            return None
        found = Loop(self.node, "")
        for statement in self.node.body:
            found.taken += self._taken(statement, ast.Constant(None), "", {name: (base, dim, self.node)})
        consumed = {id(item) for taken in found.taken for item in ast.walk(taken.node)}
        found.unread = all(id(read) in consumed for read in loads(self.scope.function, name))
        found.kept += self._kept(batched=dim == 1 and bool(found.taken))
        return found

    def _named(self, stop: ast.expr, index: str) -> Iterator[tuple[str, tuple[str, int, ast.stmt]]]:
        """`x_t = x[:, t]`, at the top of the body, before all reads."""
        for place, statement in enumerate(self.node.body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() as value):
                    found = self._slice(value, stop, index, certain=False)
                    if found is not None and self._settled(name, place):
                        yield name, (*found, statement)
                case _:
                    pass

    def _settled(self, name: str, place: int) -> bool:
        """Whether the name is bound once in the loop, here, and read further down in its body alone."""
        inside = {id(item) for statement in self.node.body[place:] for item in ast.walk(statement)}
        return self.finder.bound_once(name) and all(id(read) in inside for read in loads(self.scope.function, name))

    def _slice(self, node: ast.expr, stop: ast.expr, index: str, certain: bool) -> tuple[str, int] | None:
        """(x, 1) of `x[:, t]` and `x[:, t, :]`; `certain`: whether more dimensions follow the indexed one for sure."""
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            return None
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        places = [at for at, item in enumerate(items) if isinstance(item, ast.Name) and item.id == index]
        others = all(at in places or ast.unparse(item) == ":" for at, item in enumerate(items))
        base = node.value
        if len(places) != 1 or not others or base.id in self.finder.variant:
            return None
        dim = places[0]
        if not same_size(self.scope, base, dim, stop):
            return None
        certain = certain or dim == 0 or len(items) > dim + 1 or _longer(self.scope, base.id, dim)
        return (base.id, dim) if certain else None

    def _taken(
        self, statement: ast.stmt, stop: ast.expr, index: str, slices: dict[str, tuple[str, int, ast.stmt]]
    ) -> Iterator[Taken]:
        for node in _at_once(statement):
            call = self._map(node)
            if call is None:
                continue
            argument, before, after, word, flat = call
            named = slices.get(argument.id) if isinstance(argument, ast.Name) else None
            where = named[:2] if named is not None else self._slice(argument, stop, index, flat)
            if where is not None:
                yield Taken(node, f"{before}{where[0]}{after}", where[1], word)

    def _map(self, node: ast.expr) -> tuple[ast.expr, str, str, str, bool] | None:
        """(argument, text before it, text after it, a word for a name, whether the argument surely is a matrix)."""
        layer = self._layer(node, ("torch.nn.Linear", "torch.nn.Embedding"))
        if layer is not None and isinstance(node, ast.Call):
            owner = self.scope.text(node.func)
            return node.args[0], f"{owner}(", ")", owner.rpartition(".")[2], layer == "torch.nn.Embedding"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) and self._matrix(node.right):
            return node.left, "", f" @ {self.scope.text(node.right)}", "projected", False
        call = self.scope.names.call(node)
        if call is None or not isinstance(node, ast.Call) or call[2]:
            return None
        name, args, _ = call
        linear = name == "torch.nn.functional.linear" and len(args) in (2, 3)
        matmul = name in ("torch.matmul", "torch.mm") and len(args) == 2 and self._matrix(args[1])
        if not (linear or matmul) or not all(self._steady(arg) for arg in args[1:]):
            return None
        rest = "".join(f", {self.scope.text(arg)}" for arg in args[1:])
        function = (
            self.scope.text(node.func).replace("mm", "matmul") if name == "torch.mm" else self.scope.text(node.func)
        )
        return args[0], f"{function}(", f"{rest})", "projected", name == "torch.mm"

    def _layer(self, node: ast.expr, kinds: tuple[str, ...]) -> str | None:
        """The class of the layer, one of `kinds`, that `node` calls with one argument."""
        if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
            return None
        made = self.scope.layer(node.func)
        if made is None or made[0] not in kinds or any(key.arg in ("max_norm", None) for key in made[1].keywords):
            return None
        return made[0] if self._steady(node.func) else None

    def _steady(self, node: ast.expr) -> bool:
        plain = isinstance(node, (ast.Name, ast.Attribute)) or self.finder.invariant(node)
        return plain and not names_in(node) & self.finder.variant

    def _matrix(self, node: ast.expr) -> bool:
        """A parameter that was made with two sizes, or a Linear's weight transposed, steady through the loop."""
        made = self.scope.attribute(node)
        if isinstance(made, ast.Call) and self.scope.construction.resolve(made.func) == "torch.nn.Parameter":
            inner = made.args[0] if made.args else None
            while isinstance(inner, ast.BinOp):
                inner = inner.left if isinstance(inner.left, ast.Call) else inner.right
            sizes = inner.args if isinstance(inner, ast.Call) else []
            if len(sizes) == 1 and isinstance(sizes[0], (ast.Tuple, ast.List)):
                sizes = sizes[0].elts
            makes = isinstance(inner, ast.Call) and self.scope.construction.resolve(inner.func) in _MAKERS
            return makes and len(sizes) == 2 and self._steady(node)
        text = ast.unparse(node)
        return text.startswith(f"{self.scope.self_name}.") and text.endswith((".weight.t()", ".weight.T"))

    def _kept(self, batched: bool) -> Iterator[Kept]:
        for place, statement in enumerate(self.node.body):
            match statement:
                case ast.Expr(
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item], keywords=[])
                ):
                    made = self._made(item, place)
                    stacked = self._stacked(name, statement, batched) if made is not None else None
                    if made is not None and stacked is not None:
                        yield Kept(item, made[0], made[1], stacked, made[2])
                case _:
                    pass

    def _made(self, item: ast.expr, place: int) -> tuple[str, str, ast.stmt | None] | None:
        """(state, layer, statement that made it) of `self.out(h)`, or of a name that is nothing but that."""
        gone: ast.stmt | None = None
        if isinstance(item, ast.Name):
            block, name = self.node.body[:place], item.id
            earlier = [at for at, node in enumerate(block) if name in changed(node)]
            if len(earlier) != 1 or not self.finder.bound_once(name) or len(loads(self.scope.function, name)) != 1:
                return None
            gone = block[earlier[0]]
            value = gone.value if isinstance(gone, ast.Assign) and isinstance(gone.targets[0], ast.Name) else None
            if value is None:
                return None
            item, between = value, block[earlier[0] + 1 :]
        else:
            between = list[ast.stmt]()
        if self._layer(item, ("torch.nn.Linear",)) is None or not isinstance(item, ast.Call):
            return None
        state = item.args[0]
        if not isinstance(state, ast.Name) or state.id in aliases(self.scope, self.finder.mutated):
            return None
        return (
            (state.id, self.scope.text(item.func), gone)
            if state.id not in set().union(*map(changed, between))
            else None
        )

    def _stacked(self, name: str, append: ast.stmt, batched: bool) -> ast.Call | None:
        """The one `torch.stack` after the loop that reads the list, along a dimension that is not the last."""
        place = self.scope.block_of(self.node)
        if place is None or not _starts_empty(place[0][: place[1]], name):
            return None
        own, around = {id(item) for item in ast.walk(append)}, set(ancestors(self.scope, self.node))
        reads = [read for read in loads(self.scope.function, name) if id(read) not in own]
        if len(reads) != 1 or not any(reads[0] in ast.walk(node) for node in place[0][place[1] + 1 :]):
            return None
        if any(
            isinstance(node, (ast.With, ast.AsyncWith)) and node not in around
            for node in ancestors(self.scope, reads[0])
        ):
            return None
        call = self.scope.parents.get(reads[0])
        found = self.scope.names.call(call) if call is not None else None
        if found is None or found[0] != "torch.stack" or found[1][0] is not reads[0] or not isinstance(call, ast.Call):
            return None
        given = [*found[1][1:], *(node for key, node in found[2].items() if key == "dim")]
        dim = integer(given[0]) if given else 0
        whole = len(given) == len(found[1]) - 1 + len(found[2]) <= 1
        return call if whole and (dim == 0 or (dim == 1 and batched)) else None


_MAKERS = frozenset(f"torch.{name}" for name in ("randn", "rand", "zeros", "ones", "empty", "Tensor", "FloatTensor"))


def _stop(node: ast.For) -> ast.expr | None:
    """n of `range(n)`, `range(1, n)` and either reversed, and of `range(n - 1, -1, -1)`."""
    walked = node.iter
    if isinstance(walked, ast.Call) and ast.unparse(walked.func) == "reversed" and len(walked.args) == 1:
        walked = walked.args[0]
    if not isinstance(walked, ast.Call) or ast.unparse(walked.func) != "range" or walked.keywords:
        return None
    if len(walked.args) == 2 and integer(walked.args[0]) in (0, 1):
        return walked.args[1]
    match walked.args:
        case [ast.BinOp(left=stop, op=ast.Sub(), right=one), end, step] if [integer(x) for x in (one, end, step)] == [
            1,
            -1,
            -1,
        ]:
            return stop
        case [stop]:
            return stop
        case _:
            return None


def _at_once(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions that every iteration surely evaluates, largest first."""
    if isinstance(node, ast.stmt) and not isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr)):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not isinstance(child, _LATER):
            yield child
            yield from _at_once(child)
        elif isinstance(child, ast.keyword):
            yield from _at_once(child)


def _longer(scope: Scope, name: str, dim: int) -> bool:
    """Whether the tensor has a dimension behind `dim`: the function asks for its size, or takes dim 0 for a batch."""
    for node in ast.walk(scope.function):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=elements)], value=value) if is_shape(value):
                owner = value.func if isinstance(value, ast.Call) else value
                whole = isinstance(owner, ast.Attribute) and ast.unparse(owner.value) == name
                if whole and len(elements) > dim + 1:
                    return True
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="size"), args=[place]) if owner == name:
                if _tells(integer(place), dim):
                    return True
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=owner), attr="shape"), slice=place) if (
                owner == name
            ):
                if _tells(integer(place), dim):
                    return True
            case _:
                pass
    return False


def _tells(place: int | None, dim: int) -> bool:
    """Size 0 counts only beside time in dim 1: for (batch, time, features)."""
    return place is not None and (place > dim or (place == 0 and dim == 1))


def _starts_empty(before: Block, name: str) -> bool:
    """Whether the last thing done to the name before the loop is `name = []`."""
    for node in reversed(before):
        if name in changed(node) or loads(node, name):
            return isinstance(node, ast.Assign) and ast.unparse(node) == f"{name} = []"
    return False
