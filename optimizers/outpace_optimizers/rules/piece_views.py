"""What a loop over pieces of tensors does with each: views, one call of attention, and views of its result."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .names import words
from .scope import Scope

ATTENTION = "torch.nn.functional.scaled_dot_product_attention"
_OPTIONS = words("is_causal scale")
_NOTHING = {"attn_mask": None, "dropout_p": 0, "enable_gqa": False}
"""Options that may be given what they are without."""


@dataclass(frozen=True, slots=True)
class End:
    """Of a tensor: how many dimensions it has, in which its pieces lie one after the other, and which are surely 1."""

    rank: int
    dim: int
    ones: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class View:
    """`source`, a piece or the result, seen as the suffixes say: texts such as `.transpose(0, 1)`."""

    source: str
    steps: tuple[str, ...] = ()
    dims: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """(what is done, to which dimensions) of each step."""

    @property
    def text(self) -> str:
        return "".join(self.steps)

    def moved(self, end: End) -> End | None:
        """After all steps; None where one fails or is about the pieces' own dimension."""
        rank, dim, ones = end.rank, end.dim, end.ones
        for what, given in self.dims:
            size = rank + (what == "unsqueeze")
            if any(not -size <= item < size for item in given):
                return None
            places = [item % size for item in given]
            if what == "transpose":
                one, two = places
                swap = {one: two, two: one}
                dim, ones = swap.get(dim, dim), frozenset(swap.get(item, item) for item in ones)
            elif what == "permute":
                if sorted(places) != list(range(rank)):
                    return None
                dim, ones = places.index(dim), frozenset(map(places.index, ones))
            elif what == "unsqueeze":
                ones = frozenset(item + (places[0] <= item) for item in ones) | {places[0]}
                rank, dim = size, dim + (places[0] <= dim)
            else:
                if places[0] == dim or (what == "squeeze" and places[0] not in ones):
                    return None
                ones = frozenset(item - (places[0] < item) for item in ones if item != places[0])
                rank, dim = rank - 1, dim - (places[0] < dim)
        return End(rank, dim, ones)


@dataclass(frozen=True, slots=True)
class Attended:
    query: View
    key: View
    value: View
    options: tuple[str, ...]
    widths: tuple[View, ...]
    """Whose last dimension options ask for: that of a piece, which has to be that of all."""


@dataclass(slots=True)
class Pieces:
    """Reads expressions of the loop's body. `views`: what its names stand for; `wholes`: what pieces are cut from."""

    scope: Scope
    views: dict[str, View]
    wholes: Mapping[str, str]
    attended: Attended | None = None
    bound: set[str] = field(default_factory=set[str])

    def view(self, node: ast.expr) -> View | None:
        if isinstance(node, ast.Name):
            return self.views.get(node.id)
        if isinstance(node, ast.Subscript):
            return self._indexed(node)
        call = self.scope.names.call(node)
        if call is None:
            return None
        if call[0] == ATTENTION:
            return self._attention(call[1], call[2])
        inner = self.view(call[1][0]) if call[1] and call[0].startswith((".", "torch.")) else None
        if inner is not None and call[0] == ".contiguous" and len(call[1]) == 1 and not call[2]:
            return inner  # the same numbers, for attention and for what joins the pieces
        step = _step(call[0].removeprefix("torch").removeprefix("."), call[1][1:], call[2])
        return _with(inner, *step) if inner is not None and step is not None else None

    def _indexed(self, node: ast.Subscript) -> View | None:
        inner = self.view(node.value)
        match node.slice:
            case ast.Constant(value=None) if inner is not None:
                return _with(inner, ".unsqueeze(0)", "unsqueeze", (0,))
            case ast.Constant(value=0) if inner is not None:
                return _with(inner, "[0]", "select", (0,))
            case _:
                return None

    def _attention(self, given: list[ast.expr], keywords: Mapping[str, ast.expr]) -> View | None:
        if self.attended is not None or len(given) != 3:
            return None
        query, key, value = (self.view(item) for item in given)
        if query is None or key is None or value is None or "" in (query.source, key.source, value.source):
            return None
        widths = _Widths(self.views, self.wholes)
        options: list[str] = []
        for name, option in keywords.items():
            text = self._same(option, widths) if name in _OPTIONS else None
            if text is not None:
                options.append(f"{name}={text}")
            elif name not in _NOTHING or not _is(option, _NOTHING[name]):
                return None
        self.attended = Attended(query, key, value, tuple(options), tuple(widths.asked))
        return View("")

    def _same(self, option: ast.expr, widths: _Widths) -> str | None:
        """What is the same in each turn: it reads nothing that the loop binds but how wide pieces are."""
        node = widths.visit(ast.parse(ast.unparse(option), mode="eval").body)
        calls = [item for item in ast.walk(node) if isinstance(item, ast.Call)]
        plain = all(self.scope.names.resolve(item.func) == "math.sqrt" for item in calls)
        names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)} - widths.made
        walrus = any(isinstance(item, ast.NamedExpr) for item in ast.walk(node))
        return ast.unparse(node) if plain and not walrus and not self.bound & names else None


class _Widths(ast.NodeTransformer):
    """Puts `whole.shape[-1]` for `piece.shape[-1]` and `piece.size(-1)`."""

    def __init__(self, views: Mapping[str, View], wholes: Mapping[str, str]) -> None:
        self.views, self.wholes = views, wholes
        self.asked: list[View] = []
        self.made: set[str] = set()

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node:
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=index):
                return self._width(node, name) if ast.unparse(index) == "-1" else node
            case _:
                return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="size"), args=[index], keywords=[]):
                return self._width(node, name) if ast.unparse(index) == "-1" else node
            case _:
                return self.generic_visit(node)

    def _width(self, node: ast.AST, name: str) -> ast.AST:
        view = self.views.get(name)
        whole = self.wholes.get(view.source) if view is not None else None
        if view is None or whole is None:
            return node
        self.asked.append(view)
        self.made.add(whole)
        return ast.parse(f"{whole}{view.text}.shape[-1]", mode="eval").body


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value and (node.value is None) == (value is None)


def _with(view: View, text: str, what: str, dims: tuple[int, ...]) -> View:
    return replace(view, steps=(*view.steps, text), dims=(*view.dims, (what, dims)))


def _step(
    name: str, given: list[ast.expr], keywords: Mapping[str, ast.expr]
) -> tuple[str, str, tuple[int, ...]] | None:
    items = given[0].elts if len(given) == 1 and isinstance(given[0], (ast.Tuple, ast.List)) else given
    numbers = [_number(item) for item in items]
    places = tuple(item for item in numbers if item is not None)
    if keywords or len(places) != len(numbers):
        return None
    if name in ("transpose", "swapaxes") and len(places) == 2:
        return f".transpose({places[0]}, {places[1]})", "transpose", places
    if name == "permute" and places:
        return f".permute({', '.join(map(str, places))})", "permute", places
    if name in ("unsqueeze", "squeeze") and len(places) == 1:
        return f".{name}({places[0]})", name, places
    return None


def _number(node: ast.expr) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    plain = isinstance(node, ast.Constant) and type(node.value) is int
    return node.value if plain else None  # type: ignore[attr-defined,return-value]
