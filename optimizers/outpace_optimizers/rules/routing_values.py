"""What expressions of a router are: scores, their groups, the best of each, masks, chosen experts and their weights."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from .attention_ops import integer, pick
from .flow import number
from .names import dotted
from .scope import Scope
from .upcast_values import cast_to_fp32

_SHAPED = frozenset({"view", "reshape", "unflatten"})
_SIZES = (ast.Name, ast.Attribute, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Subscript)
_LOWEST = -1e30
"""A number so low that nothing below it is chosen."""


@dataclass(frozen=True, eq=False)
class Scores:
    """`sigmoid(logits)` or `softmax(logits)`; `wide`: of logits in fp32 whatever they were."""

    kind: str
    logits: ast.expr
    wide: bool
    checks: tuple[str, ...] = ()
    """What has to hold where it runs; `{logits}` stands for the logits."""


@dataclass(frozen=True, eq=False)
class Choice:
    """Scores plus a bias; `groups` where they were split into so many."""

    scores: Scores
    bias: ast.expr
    groups: ast.expr | None = None
    kept: ast.expr | None = None
    zeros: bool = False
    """Of the groups that are not kept: 0 in place of -inf."""
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Top:
    """`torch.topk(of, count)`."""

    of: Value
    count: ast.expr


@dataclass(frozen=True, eq=False)
class Best:
    """The sums of each group's two largest, or zeros of that shape: `kept` are marked by one once it is known."""

    choice: Choice
    zeros: bool = False
    kept: ast.expr | None = None
    spread: bool = False
    """To all experts of the group."""
    inverted: bool = False


@dataclass(frozen=True, eq=False)
class Indices:
    top: Top


@dataclass(frozen=True, eq=False)
class Best2:
    """The two largest of each group."""

    choice: Choice


@dataclass(frozen=True, eq=False)
class Weights:
    """Scores of chosen experts. `normalised` is the condition under which they are divided by their sum."""

    top: Top
    normalised: str = "False"
    scale: ast.expr | None = None


@dataclass(frozen=True, eq=False)
class Total:
    """The sum of the weights, and what was added to it."""

    weights: Weights
    eps: float = 0.0


Value = Scores | Choice | Top | Best | Best2 | Indices | Weights | Total
Known = Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class RoutingReader:
    scope: Scope
    numbers: dict[str, ast.expr]
    """What names of plain numbers were bound to on the way."""

    def value(self, node: ast.expr, known: Known) -> Value | None:
        match node:
            case ast.Name():
                return known.get(node.id)
            case ast.Call():
                return self._call(node, known)
            case ast.UnaryOp(op=ast.Invert()):
                found = self.value(node.operand, known)
                return replace(found, inverted=True) if isinstance(found, Best) and found.spread else None
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                found = self.value(left, known)
                mask = isinstance(found, Best) and found.spread and number(right) == 0
                return replace(found, inverted=True) if isinstance(found, Best) and mask else None
            case ast.BinOp():
                return self._arithmetic(node.op, self.value(node.left, known), node.right, known)
            case ast.Subscript(value=of):
                return part_of(self.value(of, known), integer(node.slice))
            case ast.Attribute(value=of, attr="values" | "indices" as attr):
                return part_of(self.value(of, known), int(attr == "indices"))
            case _:
                return None

    def _arithmetic(self, op: ast.operator, left: Value | None, right: ast.expr, known: Known) -> Value | None:
        match op, left:
            case ast.Add(), Scores(kind="sigmoid") if self.value(right, known) is None:
                bias = self._bias(right)
                return Choice(left, bias) if dotted(bias) is not None else None
            case ast.Add(), Total(eps=0.0) if (eps := number(right)) is not None:
                return replace(left, eps=eps)
            case ast.Div(), Weights(normalised="False", scale=None):
                total = self.value(right, known)
                wanted = 1e-20 if isinstance(left.top.of, Choice) else 0.0
                holds = isinstance(total, Total) and total.weights.top is left.top and total.eps in (wanted, 1e-20)
                return replace(left, normalised="True") if holds else None
            case ast.Mult(), Weights(scale=None) if dotted(right) is not None or number(right) is not None:
                return replace(left, scale=right) if isinstance(left.top.of, Choice) else None
            case _:
                return None

    def _bias(self, node: ast.expr) -> ast.expr:
        """b of `b.to(torch.float32).unsqueeze(0)`."""
        call = self.scope.names.call(node)
        inner = cast_to_fp32(self.scope, node)
        if call is not None and call[0] == ".unsqueeze" and len(call[1]) == 2 and integer(call[1][1]) == 0:
            inner = call[1][0]
        return self._bias(inner) if inner is not None else node

    def _call(self, node: ast.Call, known: Known) -> Value | None:
        call = self.scope.names.call(node)
        if call is None or not call[1]:
            return None
        name = call[0].removeprefix("torch.nn.functional.").removeprefix("torch.").removeprefix(".")
        (of, *rest), keys = call[1], call[2]
        if name in ("sigmoid", "softmax"):
            return self._scores(name, of, rest, keys)
        value = self.value(of, known)
        if name in _SHAPED:
            return self._shaped(name, value, rest) if not keys else None
        match name, value:
            case "float" | "to" | "type", Scores() if cast_to_fp32(self.scope, node) is not None:
                return value
            case "float" | "to" | "type" | "bool", Best(zeros=True) if not rest or name == "to":
                return value
            case "topk", Scores() | Choice() | Best(zeros=False):
                return self._top(value, rest, keys)
            case "sum", Best2() if _last(pick(rest, keys, 0, "dim")) and len(rest) + len(keys) == 1:
                return Best(value.choice)
            case "sum", Weights() if _last(pick(rest, keys, 0, "dim")) and _true(pick(rest, keys, 1, "keepdim")):
                return Total(value)
            case "zeros_like", Best(zeros=False):
                return replace(value, zeros=True)
            case "scatter" | "scatter_", Best(zeros=True, kept=None):
                return self._marked(value, rest, keys, known)
            case "unsqueeze", Best() if value.kept is not None and len(rest) == 1 and _last(rest[0]):
                return value
            case "expand", Best() if value.kept is not None:
                return replace(value, spread=True)
            case "masked_fill", Choice(kept=None) if len(rest) == 2:
                return self._masked(value, self.value(rest[0], known), rest[1])
            case "gather", Scores() if len(rest) + len(keys) == 2 and self._along(value, pick(rest, keys, 0, "dim")):
                return self._gathered(value, pick(rest, keys, 1, "index"), known)
            case _:
                return None

    def _scores(self, kind: str, of: ast.expr, rest: list[ast.expr], keys: dict[str, ast.expr]) -> Scores | None:
        inner = cast_to_fp32(self.scope, of)
        wide, logits = inner is not None, inner if inner is not None else of
        if kind == "sigmoid":
            return Scores(kind, logits, wide) if not rest and not keys else None
        dim = integer(pick(rest, keys, 0, "dim"))
        dtype = pick(rest, keys, 1, "dtype") if len(rest) < 2 else None
        if dim is None or set(keys) - {"dim", "dtype"} or len(rest) > 1:
            return None
        if dtype is not None and self.scope.names.resolve(dtype) not in ("torch.float32", "torch.float"):
            return None
        checks = () if dim == -1 else (f"{{logits}}.dim() == {dim + 1}",)
        return Scores(kind, logits, wide or dtype is not None, checks) if dim == -1 or dim > 0 else None

    def _top(self, of: Scores | Choice | Best, rest: list[ast.expr], keys: dict[str, ast.expr]) -> Top | None:
        count, dim = pick(rest, keys, 0, "k"), pick(rest, keys, 1, "dim")
        plain = not set(keys) - {"k", "dim", "sorted", "largest"} and len(rest) <= 2
        plain = plain and ("largest" not in keys or _true(keys["largest"]))
        if not plain or count is None or not (dim is None or _row(dim) or (_last(dim))):
            return None
        if isinstance(of, Choice) and of.groups is not None and of.kept is None and integer(count) != 2:
            return None
        two = integer(dim) == 1 and not isinstance(of, Best)
        if two and isinstance(of, Scores):
            of = replace(of, checks=(*of.checks, "{logits}.dim() == 2"))
        return Top(of, count) if dotted(count) is not None or number(count) is not None else None

    def _shaped(self, name: str, value: Value | None, sizes: list[ast.expr]) -> Value | None:
        if len(sizes) == 1 and isinstance(sizes[0], (ast.Tuple, ast.List)):
            sizes = sizes[0].elts
        if isinstance(value, Best) and value.spread:
            return value
        texts = [ast.unparse(size) for size in sizes]
        plain = all(isinstance(item, _SIZES) for item in sizes)
        if name == "unflatten" or not plain:
            return None
        if isinstance(value, Scores) and len(sizes) == 2:
            return replace(value, checks=(*value.checks, *_same(texts[0], 0), *_same(texts[1], -1)))
        if isinstance(value, Choice) and value.groups is None and len(sizes) == 3:
            whole = " * ".join(f"({text})" if " " in text else text for text in texts[1:])
            last = () if integer(sizes[2]) == -1 else (f"{whole} == {{logits}}.shape[-1]",)
            checks = (*value.checks, "{logits}.dim() == 2", *_same(texts[0], 0), *last)
            known = integer(sizes[0]) != -1 or integer(sizes[2]) != -1
            return replace(value, groups=sizes[1], checks=checks) if known else None
        return None

    def _marked(self, of: Best, rest: list[ast.expr], keys: dict[str, ast.expr], known: Known) -> Best | None:
        dim, index, one = (pick(rest, keys, place, name) for place, name in enumerate(("dim", "index", "src")))
        one = keys.get("value") if one is None else one
        found = self.value(index, known) if index is not None else None
        if not (_row(dim) or _last(dim)) or not isinstance(found, Indices) or not isinstance(found.top.of, Best):
            return None
        marked = number(one) == 1 or _true(one)
        same = found.top.of.choice is of.choice and not found.top.of.zeros
        return replace(of, kept=found.top.count) if marked and same else None

    def _masked(self, value: Choice, mask: Value | None, fill: ast.expr) -> Choice | None:
        if (
            not isinstance(mask, Best)
            or not mask.inverted
            or mask.kept is None
            or mask.choice.scores is not value.scores
        ):
            return None
        fill = self.numbers.get(fill.id, fill) if isinstance(fill, ast.Name) else fill
        low = number(fill)
        lowest = ast.unparse(fill).endswith(".min") or (low is not None and low <= _LOWEST)
        if not lowest and low != 0:
            return None
        groups = mask.choice
        return replace(groups, kept=mask.kept, zeros=not lowest)

    def _along(self, scores: Scores, dim: ast.expr | None) -> bool:
        """Whether it is the last dimension: of scores in groups, which have two, that is 1 too."""
        return _last(dim) or (scores.kind == "sigmoid" and integer(dim) == 1)

    def _gathered(self, scores: Scores, index: ast.expr | None, known: Known) -> Weights | None:
        found = self.value(index, known) if index is not None else None
        if not isinstance(found, Indices):
            return None
        chosen = found.top.of
        if isinstance(chosen, Choice):
            return Weights(found.top) if chosen.kept is not None and chosen.scores.logits is scores.logits else None
        return Weights(found.top) if chosen is scores and scores.kind == "softmax" else None


def part_of(value: Value | None, place: int | None) -> Value | None:
    """The values and the indices of a top-k."""
    if not isinstance(value, Top) or place not in (0, 1):
        return None
    if place == 1:
        return Indices(value)
    if isinstance(value.of, Scores):
        return Weights(value) if value.of.kind == "softmax" else None
    grouped = isinstance(value.of, Choice) and value.of.groups is not None and value.of.kept is None
    return Best2(value.of) if grouped and isinstance(value.of, Choice) else None


def _same(text: str, place: int) -> tuple[str, ...]:
    return () if text == "-1" else (f"{text} == {{logits}}.shape[{place}]",)


def _last(node: ast.expr | None) -> bool:
    return integer(node) == -1


def _row(node: ast.expr | None) -> bool:
    """The last dimension of two."""
    return integer(node) in (1, -1)


def _true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
