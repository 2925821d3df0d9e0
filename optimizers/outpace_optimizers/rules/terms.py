"""A formula as it is written, whatever its spelling: operators, functions and methods are one tree of terms."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from .attention_ops import is_own, pick
from .constants import constant
from .flow import number
from .names import words
from .numbers_known import is_number
from .pure_ops import PURE
from .scope import Scope

Versions = Mapping[str, int]
"""How often each name has been bound so far in a list of statements."""

_SPACES = ("torch.nn.functional.", "torch.special.", "torch.", ".")
_SYNONYMS = {
    "negative": "neg", "absolute": "abs", "clip": "clamp", "expit": "sigmoid", "subtract": "sub", "multiply": "mul",
    "divide": "div", "true_divide": "div",
}  # fmt: skip
_OF_ONE = words(
    "exp expm1 log log1p tanh sigmoid erf erfc sqrt rsqrt abs square reciprocal neg relu relu6 softplus silu mish "
    "hardsigmoid logsigmoid ndtr detach"
)
_TAKEN = {
    "gather": ("dim", "index"), "one_hot": ("num_classes",), "linear": ("weight",), "eye": (),
    "chunk": ("chunks", "dim"),
}  # fmt: skip
_NAMED_DTYPES = {
    "float": "torch.float32",
    "double": "torch.float64",
    "half": "torch.float16",
    "bfloat16": "torch.bfloat16",
}
"""Methods that bring a tensor to a dtype."""
_CASTS = words("to type type_as float double half bfloat16")
_OF_TWO = words("add sub mul div pow matmul mm maximum minimum gt ge lt le greater less")
_REDUCED = words("sum mean amax logsumexp")
_SOFT = words("softmax log_softmax")
_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
}
_COMPARED: dict[type[ast.cmpop], str] = {ast.Gt: "gt", ast.GtE: "gt", ast.Lt: "lt", ast.LtE: "lt"}
_SAME = {"ge": "gt", "greater": "gt", "le": "lt", "less": "lt", "mm": "matmul"}
_NEW_DIMENSION = {"..., None": -1, ":, None": 1, "None": 0, "None, :": 0}
_MODULES = {
    "torch.nn.Sigmoid": "sigmoid", "torch.nn.Tanh": "tanh", "torch.nn.ReLU": "relu", "torch.nn.ReLU6": "relu6",
    "torch.nn.Softplus": "softplus", "torch.nn.Hardsigmoid": "hardsigmoid",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """`value`: a number; what a leaf is; "keep" for a reduction that keeps its dimensions. Equal terms have equal
    values.
    """

    op: str
    args: tuple[Term, ...] = ()
    value: float | str = ""
    node: ast.expr | None = field(default=None, compare=False)

    def all(self) -> list[Term]:
        """Itself and all below, largest first."""
        return [self, *(inner for arg in self.args for inner in arg.all())]


NONE = Term("none")


def leaf(name: str, versions: Versions) -> str:
    return f"{name}@{versions.get(name, 0)}"


@dataclass(frozen=True)
class TermReader:
    """Reads expressions of one function."""

    scope: Scope

    def term(self, node: ast.expr, versions: Versions) -> Term:
        known = constant(self.scope, node)
        if known is not None:
            return Term("number", (), known, node)
        if isinstance(node, ast.Name):
            return Term("leaf", (), leaf(node.id, versions), node)
        made = self._made(node, versions)
        if made is not None:
            return Term(made.op, made.args, made.value, node)
        return Term("opaque", (), self._text(node, versions), node)

    def _made(self, node: ast.expr, versions: Versions) -> Term | None:
        counted = rows_counted(node)
        if counted is not None:
            return Term("rows", (self.term(counted, versions),))
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                return Term(_SIGNS[type(op)], (self.term(left, versions), self.term(right, versions)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Term("neg", (self.term(operand, versions),))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
                return Term(_COMPARED[type(op)], (self.term(left, versions), self.term(right, versions)))
            case ast.Subscript(value=value):
                return self._indexed(self.term(value, versions), node, versions)
            case ast.Attribute(value=value, attr="values"):
                inner = self.term(value, versions)
                return _first(inner) if inner.op == "pair" else None
            case ast.Call():
                return self._call(node, versions)
            case _:
                return None

    def _text(self, node: ast.expr, versions: Versions) -> str:
        """What an expression is that nothing is known of: the same twice only where it surely gives the same."""
        inside = list(ast.walk(node))
        names = sorted({leaf(item.id, versions) for item in inside if isinstance(item, ast.Name)})
        calls = [self.scope.names.call(item) for item in inside if isinstance(item, ast.Call)]
        pure = all(call is not None and call[0] in PURE for call in calls)
        return f"{ast.dump(node)} {names}" + ("" if pure else f" {id(node)}")

    def _counted(self, node: ast.expr) -> ast.expr | None:
        """n of `range(n)`, `torch.arange(n)`."""
        if not isinstance(node, ast.Call) or len(node.args) != 1:
            return None
        name = self.scope.names.resolve(node.func)
        built_in = isinstance(node.func, ast.Name) and node.func.id == "range" and "range" not in self.scope.names.bound
        return node.args[0] if built_in or name in ("torch.arange", "numpy.arange") else None

    def _indexed(self, inner: Term, node: ast.Subscript, versions: Versions) -> Term | None:
        """`x.max(-1)[0]`, `total[..., None]`, and one element of each row: `x[torch.arange(n), index]`."""
        if inner.op == "pair":
            return _first(inner) if number(node.slice) == 0 else None
        index = node.slice
        count = self._counted(index.elts[0]) if isinstance(index, ast.Tuple) and len(index.elts) == 2 else None
        if count is not None and isinstance(index, ast.Tuple):
            return Term("picked", (inner, self.term(index.elts[1], versions), self.term(count, versions)))
        if inner.op == "eye" and not isinstance(index, (ast.Tuple, ast.Slice)):
            return Term("eye_rows", (self.term(index, versions), *inner.args))
        return unsqueezed(inner, _NEW_DIMENSION.get(ast.unparse(node.slice).strip("()")))

    def _call(self, node: ast.Call, versions: Versions) -> Term | None:
        made = self.scope.module(node.func) if self.scope.attribute(node.func) is not None else None
        if made is not None and len(node.args) == 1 and not node.keywords:
            return self._module(*made, node.args[0], versions)
        call = self.scope.names.call(node)
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        own = isinstance(receiver, ast.Name) and receiver.id == self.scope.self_name
        if call is None or own or is_own(self.scope, node):
            return None
        name, args, keys = call
        space = next((space for space in _SPACES if name.startswith(space) and "." not in name[len(space) :]), None)
        if space is None:
            return None
        op = name.removeprefix(space)
        return self._known(_SYNONYMS.get(op, op), args, keys, versions)

    def _module(self, name: str, made: ast.Call, given: ast.expr, versions: Versions) -> Term | None:
        """What an activation's module does, made without arguments but a softmax's dimension."""
        keys = {str(key.arg): key.value for key in made.keywords}
        if name in _MODULES and not made.args and not _without_in_place(given, keys):
            return Term(_MODULES[name], (self.term(given, versions),))
        dim = constant(self.scope.constructor, pick(made.args, {"dim": keys["dim"]} if "dim" in keys else {}, 0, "dim"))
        if name not in ("torch.nn.Softmax", "torch.nn.LogSoftmax") or dim is None:
            return None
        op = "softmax" if name == "torch.nn.Softmax" else "log_softmax"
        return Term(op, (self.term(given, versions), Term("number", (), dim, ast.Constant(int(dim)))))

    def _known(self, op: str, args: list[ast.expr], keys: dict[str, ast.expr], versions: Versions) -> Term | None:
        if "input" in keys and not args:
            args, keys = [keys["input"]], {key: value for key, value in keys.items() if key != "input"}
        keys = _without_in_place(args[0], keys) if args else keys
        if not args or "inplace" in keys or "out" in keys:
            return None
        if op in _OF_ONE and len(args) == 1 and not keys:
            return Term(op, (self.term(args[0], versions),))
        if op in _OF_TWO or op in ("max", "min"):
            made = self._of_two(op, args, keys, versions)
            if made is not None:
                return made
        if op in _REDUCED or op in _SOFT or op == "max":
            return self._reduced(op, args, keys, versions)
        if op in _CASTS:
            inner = self.term(args[0], versions)
            return Term("cast", (inner,), self._cast_to(op, args[1:], keys)) if inner.op == "one_hot" else None
        if op in ("clamp", "clamp_min", "clamp_max", "hardtanh"):
            return self._clamped(op, args, keys, versions)
        return self._taken(op, args, keys, versions) if op in _TAKEN else self._shaped(op, args, keys, versions)

    def _cast_to(self, op: str, args: list[ast.expr], keys: dict[str, ast.expr]) -> str:
        """The dtype, where it is one that is written down and not that of another tensor."""
        if op in _NAMED_DTYPES:
            return _NAMED_DTYPES[op]
        names = [self.scope.names.resolve(item) or "" for item in (*args, *keys.values())]
        return next((name for name in names if name.startswith("torch.") and name.count(".") == 1), "")

    def _taken(self, op: str, args: list[ast.expr], keys: dict[str, ast.expr], versions: Versions) -> Term | None:
        """What takes elements by indices, or makes rows that do: all its arguments have to be there."""
        names = _TAKEN[op]
        given = dict(zip(names, args[1:], strict=False)) | keys
        if op == "eye":
            given = {key: value for key, value in given.items() if key not in ("dtype", "device")}
        if tuple(given) != names or (op == "chunk" and number(given["chunks"]) != 2):
            return None
        operands = (args[0], given["dim"]) if op == "chunk" else (args[0], *given.values())
        return Term("halves" if op == "chunk" else op, tuple(self.term(one, versions) for one in operands))

    def _shaped(self, op: str, args: list[ast.expr], keys: dict[str, ast.expr], versions: Versions) -> Term | None:
        match op:
            case "where" if len(args) == 3 and not keys:
                return Term("where", tuple(self.term(arg, versions) for arg in args))
            case "zeros_like" if len(args) == 1 and not keys:
                return Term("zeros_like", (self.term(args[0], versions),))
            case "view" | "reshape" if [number(arg) for arg in args[1:]] == [-1, 1] and not keys:
                return Term("column", (self.term(args[0], versions),))
            case "squeeze" if len(args) == 1 and not keys:
                return Term("squeeze_all", (self.term(args[0], versions),))
            case "squeeze" | "unsqueeze":
                dim = number(pick(args, keys, 1, "dim"))
                change = unsqueezed if op == "unsqueeze" else squeezed
                return change(self.term(args[0], versions), dim) if len(args) + len(keys) == 2 else None
            case _:
                return None

    def _of_two(self, op: str, args: list[ast.expr], keys: dict[str, ast.expr], versions: Versions) -> Term | None:
        named = "exponent" if op == "pow" else "other"
        if named in keys:
            args, keys = [*args, keys[named]], {key: value for key, value in keys.items() if key != named}
        if len(args) != 2 or keys:
            return None
        if op in ("max", "min"):
            if isinstance(args[1], ast.Name) or is_number(self.scope, args[1]):
                return None  # it may be a dimension
            op = f"{op}imum"
        return Term(_SAME.get(op, op), (self.term(args[0], versions), self.term(args[1], versions)))

    def _clamped(self, op: str, args: list[ast.expr], keys: dict[str, ast.expr], versions: Versions) -> Term | None:
        names = {"clamp_min": ("min",), "clamp_max": ("max",), "hardtanh": ("min_val", "max_val")}
        given = dict(zip(names.get(op, ("min", "max")), args[1:], strict=False)) | keys
        if set(given) - {"min", "max", "min_val", "max_val"}:
            return None
        low, high = given.get("min", given.get("min_val")), given.get("max", given.get("max_val"))
        if op == "hardtanh" and (low is None or high is None):
            return None
        ends = [NONE if _missing(end) or end is None else self.term(end, versions) for end in (low, high)]
        return Term("clamp", (self.term(args[0], versions), *ends))

    def _reduced(self, op: str, args: list[ast.expr], keys: dict[str, ast.expr], versions: Versions) -> Term | None:
        """Over one dimension, or over all where none is named."""
        keys = {{"axis": "dim", "keepdims": "keepdim"}.get(key, key): value for key, value in keys.items()}
        keys = {key: value for key, value in keys.items() if not (key == "dtype" and _missing(value))}
        given = dict(zip(("dim", "keepdim"), args[1:], strict=False)) | keys
        keep, dim = given.get("keepdim"), given.get("dim")
        plain = keep is None or (isinstance(keep, ast.Constant) and isinstance(keep.value, bool))
        if set(given) - {"dim", "keepdim"} or len(args) > 3 or not plain or _missing(dim):
            return None
        if isinstance(dim, (ast.Tuple, ast.List)):
            if len(dim.elts) != 1:
                return None
            dim = dim.elts[0]
        over = (self.term(dim, versions),) if dim is not None else ()
        kept = "keep" if isinstance(keep, ast.Constant) and keep.value is True else ""
        if op in _SOFT and (not over or keep is not None):
            return None
        named = ("pair" if over else "amax") if op == "max" else op
        return Term(named, (self.term(args[0], versions), *over), kept)


def _missing(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def rows_counted(node: ast.expr) -> ast.expr | None:
    """x of `x.shape[0]`, `x.size(0)` and `len(x)`."""
    match node:
        case ast.Subscript(value=ast.Attribute(value=value, attr="shape"), slice=ast.Constant(value=0)):
            return value
        case ast.Call(func=ast.Attribute(value=value, attr="size"), args=[ast.Constant(value=0)], keywords=[]):
            return value
        case ast.Call(func=ast.Name(id="len"), args=[value], keywords=[]):
            return value
        case _:
            return None


def _without_in_place(given: ast.expr, keys: dict[str, ast.expr]) -> dict[str, ast.expr]:
    """The keywords without `inplace`, where it is off or changes nothing with a name: `relu6(x + 3, inplace=True)`."""
    switch = keys.get("inplace")
    off = isinstance(given, ast.BinOp) or (isinstance(switch, ast.Constant) and switch.value is False)
    return {key: value for key, value in keys.items() if key != "inplace"} if off else keys


def _first(pair: Term) -> Term:
    """Of `torch.max(x, dim)`: the values."""
    return Term("amax", pair.args, pair.value, pair.node)


def unsqueezed(inner: Term, dim: float | None) -> Term | None:
    """With a dimension of size 1 there: a reduction keeps its own."""
    return resized(Term("unsqueeze", (inner,), dim)) if dim is not None else None


def squeezed(inner: Term, dim: float | None) -> Term | None:
    return resized(Term("squeeze", (inner,), dim)) if dim is not None else None


def resized(term: Term) -> Term:
    """The term, or what it is where it is of a reduction over that dimension."""
    (inner,) = term.args
    before, after = ("", "keep") if term.op == "unsqueeze" else ("keep", "")
    reduced = inner.op in (*_REDUCED, "pair") and len(inner.args) == 2 and inner.value == before
    if not reduced or inner.args[1].op != "number" or inner.args[1].value != term.value:
        return term
    return Term(inner.op, inner.args, after, term.node)
