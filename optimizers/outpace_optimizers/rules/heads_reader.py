"""Reads what statements make of heads, through the functions and layers of the file that they call."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import replace

from .attention_ops import integer, pick
from .flow import names_in
from .heads_norms import definition_of, normalised
from .heads_values import (
    ROWS,
    Heads,
    Kind,
    Size,
    Term,
    Terms,
    Text,
    Turned,
    Value,
    added,
    half,
    is_plain,
    joined,
    negated,
    times,
)
from .norm_values import Norm
from .scope import Scope
from .substitution import put

_DEPTH = 3
"""Of functions within functions."""
_ASKED = frozenset({"shape", "size", "device", "dim", "ndim"})
"""What of heads may be part of a table's text: normalising and moving leave it to the rows' own."""
_WIDE = ("torch.float32", "torch.float")


class HeadsReader:
    """`known`: what names hold; of any other name nothing but its text. `norms`: expressions that normalise rows, with
    the rows, and how. `free`: whether names of the function itself may stand in texts.
    """

    def __init__(
        self, scope: Scope, known: dict[str, Value], norms: Mapping[int, Norm], free: bool, depth: int
    ) -> None:
        self.scope = scope
        self.known = known
        self.norms = norms
        self.free = free
        self.depth = depth

    def value(self, node: ast.expr) -> Value | None:
        norm = self.norms.get(id(node))
        if norm is not None:
            return _of_norm(self.scope, norm)
        match node:
            case ast.Name(id=name) if name in self.known:
                return self.known[name]
            case ast.Tuple(elts=elements):
                return tuple(self.value(item) for item in elements)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                value = self.value(inner)
                return negated(value) if isinstance(value, Terms) else self._text(node)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.Subscript(value=inner, slice=index):
                value = self.value(inner)
                if isinstance(value, Terms):
                    return self._cut(value, index)
                return self._element(value, index) if isinstance(value, tuple) else self._size(node)
            case ast.Attribute(value=inner, attr="dtype") if isinstance(self.value(inner), Terms):
                return Kind()
            case ast.Call():
                return self._call(node)
            case _:
                return self._text(node)

    def _text(self, node: ast.expr) -> Text | None:
        """In the words of the function with the edit; None where a head is part of it."""
        words: dict[str, ast.expr] = {}
        for item in ast.walk(node):
            if isinstance(item, (ast.Lambda, ast.NamedExpr, ast.comprehension, ast.Await)):
                return None
            if not isinstance(item, ast.Name) or item.id in words:
                continue
            value = self.known.get(item.id)
            if isinstance(value, Text):
                words[item.id] = value.node
            elif item.id in self.known:
                if not is_plain(value) or not self._only_asked(node, item.id):
                    return None
                words[item.id] = ast.Name(ROWS)
            elif self.free or item.id in self.scope.names.table:
                words[item.id] = item
            else:
                return None
        made = put(copy.deepcopy(node), words)
        return Text(made) if made is not None else None

    def _only_asked(self, node: ast.expr, name: str) -> bool:
        """Whether nothing but its sizes are read."""
        asked = [
            item.value
            for item in ast.walk(node)
            if isinstance(item, ast.Attribute) and item.attr in _ASKED and isinstance(item.value, ast.Name)
        ]
        return all(item in asked for item in ast.walk(node) if isinstance(item, ast.Name) and item.id == name)

    def _size(self, node: ast.expr) -> Value | None:
        match node:
            case ast.Subscript(value=ast.Attribute(value=inner, attr="shape"), slice=index):
                pass
            case _:
                return self._text(node)
        last = integer(index) in (-1, 3) and is_plain(self.value(inner))
        return Size(False) if last else self._text(node)

    def _arithmetic(self, node: ast.BinOp) -> Value | None:
        left, right = self.value(node.left), self.value(node.right)
        match node.op, left, right:
            case ast.FloorDiv(), Size(False), Text(ast.Constant(value=2)):
                return Size(True)
            case ast.Mult(), Terms(), Text():
                return times(left, right.node)
            case ast.Mult(), Text(), Terms():
                return times(right, left.node)
            case ast.Add(), Terms(), Terms():
                return added(left, right)
            case ast.Sub(), Terms(), Terms():
                return added(left, negated(right))
            case _:
                return self._text(node)

    def _element(self, value: tuple[Value | None, ...], index: ast.expr) -> Value | None:
        place = integer(index)
        return value[place] if place is not None and -len(value) <= place < len(value) else None

    def _cut(self, value: Terms, index: ast.expr) -> Terms | None:
        """`[..., :half]`, `[:, :, :, half:]`."""
        items = index.elts if isinstance(index, ast.Tuple) else []
        if not items or not isinstance(items[-1], ast.Slice) or items[-1].step is not None:
            return None
        dots = len(items) == 2 and isinstance(items[0], ast.Constant) and items[0].value is Ellipsis
        full = len(items) == 4 and all(ast.unparse(item) == ":" for item in items[:-1])
        lower, upper = items[-1].lower, items[-1].upper
        if not (dots or full) or (lower is None) is (upper is None):
            return None
        edge = lower if lower is not None else upper
        at = self.value(edge) if edge is not None else None
        return half(value, upper is not None) if at == Size(True) else None

    def _call(self, node: ast.Call) -> Value | None:
        call = self.scope.names.call(node)
        found = normalised(self.scope, node) if self.free else None
        if found is not None:
            if names_in(found.given) & set(self.known):
                return None
            return Terms(Heads(found.given, found.weight, found.eps, found.strict), (Term("all"),))
        if call is None:
            return self._inner(node)
        name, args, keys = call
        operation = name.removeprefix("torch").removeprefix(".")
        value = self.value(args[0]) if args and name in (f"torch.{operation}", f".{operation}") else None
        if operation == "cat" and name.startswith("torch"):
            return self._joined(args, keys)
        if isinstance(value, (Terms, Turned)):
            made = self._method(operation, value, args, keys)
            return made if made is not None or name.startswith("torch.") else self._inner(node)
        return self._inner(node)

    def _joined(self, args: list[ast.expr], keys: dict[str, ast.expr]) -> Value | None:
        parts = args[0] if args else None
        if not isinstance(parts, (ast.Tuple, ast.List)) or len(parts.elts) != 2:
            return None
        one, two = (self.value(item) for item in parts.elts)
        last = integer(pick(args, keys, 1, "dim", "axis")) in (-1, 3)
        return joined(one, two) if last and isinstance(one, Terms) and isinstance(two, Terms) else None

    def _method(
        self, name: str, value: Terms | Turned, args: list[ast.expr], keys: dict[str, ast.expr]
    ) -> Value | None:
        rest = [*args[1:], *keys.values()]
        if name in ("to", "type", "type_as") and len(rest) == 1:
            return self._cast(name, value, rest[0])
        if not isinstance(value, Terms):
            return None
        if name == "size" and is_plain(value):
            return Size(False) if len(rest) == 1 and integer(rest[0]) in (-1, 3) else None
        if name == "float" and not rest:
            return replace(value, wide=True) if is_plain(value) else None
        if name == "contiguous" and not rest:
            return value
        numbers = [integer(item) for item in rest]
        if name in ("transpose", "swapaxes", "swapdims") and sorted(map(str, numbers)) == ["1", "2"]:
            return self._moved(value, ".transpose(1, 2)")
        if name == "permute" and numbers == [0, 2, 1, 3]:
            return self._moved(value, ".transpose(1, 2)")
        if name in ("chunk", "tensor_split") and integer(pick(args, keys, 1, "chunks")) == 2:
            last = integer(pick(args, keys, 2, "dim")) in (-1, 3)
            return (half(value, True), half(value, False)) if last and half(value, True) else None
        if name == "split" and args[1:] and self.value(args[1]) == Size(True):
            last = integer(pick(args, keys, 2, "dim")) in (-1, 3)
            return (half(value, True), half(value, False)) if last and half(value, True) else None
        return None

    def _moved(self, value: Terms, move: str) -> Terms | None:
        plain = is_plain(value)
        return replace(value, heads=replace(value.heads, moves=(*value.heads.moves, move))) if plain else None

    def _cast(self, name: str, value: Terms | Turned, kind: ast.expr) -> Value | None:
        wanted = self.value(kind)
        own = isinstance(wanted, Kind) or (name == "type_as" and isinstance(wanted, Terms) and not wanted.wide)
        if isinstance(value, Turned):
            return replace(value, cast=True) if own else None
        if self.scope.names.resolve(kind) in _WIDE:
            return replace(value, wide=True) if is_plain(value) else None
        return None

    def _inner(self, node: ast.Call) -> Value | None:
        """What a function of the file returns for these heads and tables."""
        given = [self.value(item) for item in (*node.args, *(key.value for key in node.keywords))]
        if not any(isinstance(item, Terms) for item in given):
            return self._text(node)
        found, receiver = definition_of(self.scope, node)
        if found is None or not self.depth or not self.free:
            return None
        args = found.function.args
        names = [arg.arg for arg in args.args]
        known: dict[str, Value] = {}
        if receiver is not None:
            owner = self._text(receiver)
            if owner is None:
                return None
            known[names.pop(0)] = owner
        if args.vararg or args.kwarg or args.posonlyargs or args.kwonlyargs or len(node.args) > len(names):
            return None
        for name, default in zip(reversed(names), reversed(args.defaults), strict=False):
            known[name] = Text(default)
        pairs = [*zip(names, node.args, strict=False), *((str(key.arg), key.value) for key in node.keywords)]
        for name, item in pairs:
            value = self.value(item)
            if value is None or name not in names:
                return None
            known[name] = value
        return Body(found, known, self.depth - 1).value() if set(names) <= set(known) else None


class Body(HeadsReader):
    """A function of the file, from its first statement to its `return`."""

    def __init__(self, scope: Scope, known: dict[str, Value], depth: int) -> None:
        super().__init__(scope, known, {}, False, depth)

    def value_of(self, statement: ast.stmt) -> bool:
        """Whether the statement is understood."""
        match statement:
            case ast.Expr(value=ast.Constant()):
                return True
            case ast.Assert(test=test):
                return self._about_dimensions(test)
            case ast.Assign(targets=[target], value=node):
                return bind(target, self.value(node), self.known)
            case _:
                return False

    def _about_dimensions(self, test: ast.expr) -> bool:
        """`x.ndim == 4`, which whatever calls the kernel asks too."""
        match test:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value=4)]):
                return ast.unparse(left).endswith((".ndim", ".dim()"))
            case _:
                return False

    def value(self, node: ast.expr | None = None) -> Value | None:
        if node is not None:
            return super().value(node)
        *before, last = self.scope.function.body
        plain = isinstance(last, ast.Return) and last.value is not None and all(map(self.value_of, before))
        return super().value(last.value) if plain and isinstance(last, ast.Return) and last.value is not None else None

    def _inner(self, node: ast.Call) -> Value | None:
        self.free, was = True, self.free
        try:
            return super()._inner(node)
        finally:
            self.free = was


def bind(target: ast.expr, value: Value | None, known: dict[str, Value]) -> bool:
    match target:
        case ast.Name(id=name) if value is not None:
            known[name] = value
            return True
        case ast.Tuple(elts=elements) if isinstance(value, tuple) and len(value) == len(elements):
            return all(bind(one, item, known) for one, item in zip(elements, value, strict=True))
        case _:
            return False


def _of_norm(scope: Scope, norm: Norm) -> Terms | None:
    """Of an RMSNorm that is written where it stands."""
    if norm.clamped or norm.dtype == "torch.float32":
        return None
    weight = scope.text(norm.weight) if norm.weight is not None else None
    eps = scope.text(norm.eps) if isinstance(norm.eps, ast.expr) else "None" if norm.eps else "0.0"
    heads = Heads(ast.Name(norm.rows.name, ast.Load()), weight, eps, norm.dtype is not None)
    return Terms(heads, (Term("all"),))
