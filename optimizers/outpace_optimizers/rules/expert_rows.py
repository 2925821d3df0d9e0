"""What is computed in a loop over experts, row by row: the same text computes it for the rows of all experts at once,
where their weights' products are grouped.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from .attention_mask import defined
from .attention_ops import integer, pick
from .expert_layers import called, listed, part
from .expert_values import Expert, Fixed, Layer, Parts, Place, Places, Rows, Value, Weight, Written
from .names import dotted, words
from .pure_ops import VIEWS
from .scope import Scope

_POINTWISE = words(
    "abs add sub mul div pow exp sqrt rsqrt tanh sigmoid relu neg square reciprocal erf clamp clamp_min clamp_max clip "
    "minimum maximum softplus gelu silu mish relu6 elu selu leaky_relu hardswish hardtanh logsigmoid multiply divide"
)
_CASTS = words("to type type_as float half bfloat16 double contiguous clone detach")
_NARROW = frozenset({"torch.bfloat16", "torch.float16"})
_SEVERAL = frozenset(f"{at}{name}" for at in (".", "torch.") for name in ("split", "chunk", "unbind", "tensor_split"))
_FUNCTIONS = ("torch.nn.functional.", "torch.special.", "torch.", ".")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


class RowReader:
    """`known`: what names hold so far; `changed`: names that the loop binds or changes; `asked`: ids of the expressions
    that ask where the expert was chosen.
    """

    def __init__(
        self,
        scope: Scope,
        written: Written,
        known: dict[str, Value],
        changed: AbstractSet[str],
        asked: AbstractSet[int],
        outermost: Scope | None = None,
    ) -> None:
        self.scope = scope
        self.written = written
        self.known = known
        self.changed = changed
        self.asked = asked
        self.outermost = outermost or scope
        """Of the function with the loop, where all is written."""

    def value(self, node: ast.expr) -> Value | None:
        if id(node) in self.asked:
            self.written.put(node, f"{self.written.pairs}.places")
            return Places()
        match node:
            case ast.Constant():
                return Fixed()
            case ast.Name(id=name):
                return self.known.get(name, None if name in self.changed else Fixed())
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                value = self.value(inner)
                return value if isinstance(value, (Rows, Fixed)) else None
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                return self._product(node, left, right, False)
            case ast.BinOp(op=op, left=left, right=right) if isinstance(op, _OPERATORS):
                return self._pointwise([left, right], isinstance(op, ast.Add))
            case ast.Call():
                return self._call(node)
            case _:
                return None

    def _attribute(self, node: ast.Attribute) -> Value | None:
        if node.attr in ("dtype", "device") and isinstance(node.value, ast.Name):
            value = self.known.get(node.value.id)
            if isinstance(value, Weight):
                self.written.put(node.value, value.text)
            return None if isinstance(value, Layer) or (isinstance(value, Weight) and value.upcast) else Fixed()
        value = self.value(node.value)
        if isinstance(value, Weight) and node.attr in ("T", "mT"):
            return replace(value, flipped=not value.flipped)
        if isinstance(value, Layer):
            return part(value, node.attr)
        return Fixed() if isinstance(value, Fixed) and dotted(node) is not None else None

    def _subscript(self, node: ast.Subscript) -> Value | None:
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        base = self.value(node.value)
        if isinstance(base, Places) and len(items) == 1:
            dim = integer(items[0])
            return Place(dim) if dim in (0, 1) else None
        if isinstance(base, Rows):
            return Rows() if not base.lead and self._keeps_rows(items) else None
        if not isinstance(base, Fixed):
            return None
        found = [None if _is_slice(item) else self.value(item) for item in items]
        first = found[0]
        if isinstance(first, Expert) and all(map(_is_full, items[1:])):
            return self._of_expert(node.value)
        if len(items) == 1 and isinstance(first, Places):
            return Rows()
        if len(items) == 2 and _is_none(items[0]) and isinstance(found[1], Place):
            return Rows(lead=True)
        if isinstance(first, Place):
            return self._gathered(items, found)
        return Fixed() if all(isinstance(item, Fixed) for item in found) and len(items) == 1 else None

    def _of_expert(self, node: ast.expr) -> Value | None:
        """`w[e]`, `self.experts[e]`."""
        if dotted(node) is None:
            return None
        layer = listed(self.scope, node)
        if layer is not None or self.scope.attribute(node) is None:
            return layer if layer is not None else self._given(node)
        return Weight(self.scope.text(node)) if _is_tensor(self.scope, node) else None

    def _given(self, node: ast.expr) -> Weight | None:
        """Of an argument or a local, where nothing says that it is a list."""
        if not isinstance(node, ast.Name):
            return None
        args = self.scope.function.args
        notes = [item.annotation for item in [*args.posonlyargs, *args.args, *args.kwonlyargs] if item.arg == node.id]
        plain = all(note is None or ast.unparse(note).endswith(("Tensor", "Parameter")) for note in notes)
        made = defined(self.scope, node, node.id)
        call = self.scope.names.call(made) if made is not None else None
        whole = call is not None and (call[0].startswith("torch.") or call[0] in VIEWS) and call[0] not in _SEVERAL
        whole = whole or (isinstance(made, ast.Attribute) and _is_tensor(self.scope, made))
        plain = plain and (whole if made is not None else bool(notes))
        return Weight(node.id) if plain else None

    def _gathered(self, items: Sequence[ast.expr], found: Sequence[Value | None]) -> Rows | None:
        """`x[token]`, `weights[token, slot, None]`, `weights[token, e]`."""
        rest = 1
        if len(items) > 1 and isinstance(found[1], (Place, Expert)):
            rest = 2
            if isinstance(found[1], Expert):
                self.written.put(items[1], f"{self.written.pairs}.expert")
        return Rows() if all(_is_none(item) or _is_full(item) for item in items[rest:]) else None

    def _keeps_rows(self, items: Sequence[ast.expr]) -> bool:
        """`[:, :n]`, `[..., ::2]`, `[:, None]`."""
        if not _is_full(items[0]) or len(items) == 1:
            return False
        after = [inner for item in items[1:] for inner in (_bounds(item) if isinstance(item, ast.Slice) else [item])]
        dots = isinstance(items[0], ast.Constant)
        if dots and not all(isinstance(item, ast.Slice) or _is_none(item) for item in items[1:]):
            return False
        return all(isinstance(self.value(item), Fixed) for item in after)

    def _pointwise(self, nodes: Sequence[ast.expr], adds: bool = False) -> Value | None:
        found = [self.value(node) for node in nodes]
        rows = any(isinstance(value, Rows) and not value.lead for value in found)
        for node, value in zip(nodes, found, strict=True):
            if isinstance(value, Weight) and adds and rows and not value.flipped and not value.upcast:
                self.written.put(node, f"{self.written.pairs}.vectors({value.text})")
            elif not isinstance(value, (Rows, Fixed)) or (isinstance(value, Rows) and value.lead):
                return None
        if not rows:
            return Fixed() if all(isinstance(value, Fixed) for value in found) else None
        return Rows()

    def _product(
        self, node: ast.expr, left: ast.expr, right: ast.expr, linear: bool, bias: str | None = None
    ) -> Value | None:
        """Of rows and a weight, which is as `F.linear` has it, or the other way round."""
        rows, weight = self.value(left), self.value(right)
        if not isinstance(rows, Rows) or rows.lead or not isinstance(weight, Weight):
            return None
        given = weight.text if linear is not weight.flipped else f"{weight.text}.mT"
        if weight.upcast:
            return self._upcast(node, left, rows, given) if bias is None else None
        self.written.put(node, self.grouped(self.written.text(left), given, bias))
        return Rows()

    def _upcast(self, node: ast.expr, left: ast.expr, rows: Rows, weight: str) -> Rows:
        """In fp32, of a weight that is narrower: rows that were narrower too are taken as they were."""
        text = rows.narrow or self.written.text(left)
        self.written.products += 1
        self.written.upcasts += 1
        self.written.spared |= {left.id} if rows.narrow is not None and isinstance(left, ast.Name) else set()
        self.written.put(node, f"{self.written.pairs}.upcast_linear({text}, {weight})")
        return Rows()

    def grouped(self, rows: str, weight: str, bias: str | None = None) -> str:
        self.written.products += 1
        return f"{self.written.pairs}.linear({rows}, {weight}{f', {bias}' if bias is not None else ''})"

    def _call(self, node: ast.Call) -> Value | None:
        layer = self.value(node.func) if not isinstance(node.func, ast.Call) else None
        if isinstance(layer, Layer):
            return called(self, node, layer)
        call = self.scope.names.call(node)
        if call is None:
            return self._activated(node)
        name, args, keys = call
        plain = next((name.removeprefix(prefix) for prefix in _FUNCTIONS if name.startswith(prefix)), "")
        if name == ".size" and isinstance(self.value(args[0]), Fixed):
            return Fixed()
        if name == "torch.nn.functional.linear":
            return self._linear(node, args, keys)
        if name in ("torch.matmul", "torch.mm", ".matmul", ".mm") and len(args) == 2 and not keys:
            return self._product(node, args[0], args[1], False)
        if name in ("torch.where", "torch.nonzero", ".nonzero") and len(args) == 1:
            return self._asked_again(node, args[0], name, keys)
        if plain in _POINTWISE and self._constants(keys):
            return self._pointwise(args, plain == "add")
        if self.scope.attribute(node.func) is not None:
            return self._activated(node)
        return self._shaped(name.removeprefix("torch").removeprefix("."), args, keys)

    def _constants(self, keys: dict[str, ast.expr]) -> bool:
        return "inplace" not in keys and all(isinstance(self.value(value), Fixed) for value in keys.values())

    def _linear(self, node: ast.Call, args: Sequence[ast.expr], keys: dict[str, ast.expr]) -> Value | None:
        weight, bias = pick(list(args), keys, 1, "weight"), pick(list(args), keys, 2, "bias")
        if not args or weight is None or len(args) + len(keys) > 3:
            return None
        if bias is None or _is_none(bias):
            return self._product(node, args[0], weight, True)
        value = self.value(bias)
        plain = isinstance(value, Weight) and not value.flipped and not value.upcast
        return self._product(node, args[0], weight, True, value.text) if plain and isinstance(value, Weight) else None

    def _asked_again(self, node: ast.Call, mask: ast.expr, name: str, keys: dict[str, ast.expr]) -> Value | None:
        """`torch.where(mask)`, where `mask` is what was asked for under a name."""
        tuples = keys.get("as_tuple")
        if not isinstance(self.value(mask), Places) or set(keys) - {"as_tuple"}:
            return None
        if name != "torch.where" and not (isinstance(tuples, ast.Constant) and tuples.value is True):
            return None
        self.written.put(node, self.written.text(mask))
        return Places()

    def _shaped(self, name: str, args: Sequence[ast.expr], keys: dict[str, ast.expr]) -> Value | None:
        if not args:
            return None
        value = self.value(args[0])
        rest = [*args[1:], *keys.values()]
        if isinstance(value, Weight):
            return self._weight(value, name, args[1:], keys)
        if not isinstance(value, Rows):
            first = name == "index_select" and len(args) == 3 and integer(args[1]) == 0
            return Rows() if first and isinstance(value, Fixed) and isinstance(self.value(args[2]), Place) else None
        numbers = [integer(item) for item in rest]
        if name in ("view", "reshape") and not keys:
            flat = len(rest) == 2 and numbers[0] == -1 and (numbers[1] == 1 or value.lead)
            return Rows() if flat and isinstance(self.value(rest[1]), Fixed) else None
        if value.lead:
            return None
        if name in _CASTS:
            wide = self._widens(name, rest) and isinstance(args[0], (ast.Name, ast.Subscript))
            fixed = all(isinstance(self.value(item), Fixed) for item in rest)
            return Rows(narrow=self.written.text(args[0]) if wide else None) if fixed else None
        if name == "unsqueeze":
            return Rows() if numbers in ([1], [-1]) else None
        if name in ("chunk", "split") and integer(pick(list(args), keys, 2, "dim")) in (1, -1):
            return Parts() if isinstance(self.value(rest[0]), Fixed) else None
        return None

    def _weight(self, value: Weight, name: str, rest: Sequence[ast.expr], keys: dict[str, ast.expr]) -> Weight | None:
        numbers = {integer(item) for item in rest}
        if keys or (name == "t" and rest):
            return None
        if self._widens(name, rest):
            return Weight(value.text, value.flipped, upcast=True)
        if name == "t" or (name in ("transpose", "swapaxes") and numbers in ({0, 1}, {-1, -2})):
            return replace(value, flipped=not value.flipped)
        if name == "contiguous" and not rest:
            return value
        if name == "to" and len(rest) == 1 and not value.upcast and self.scope.names.resolve(rest[0]) in _NARROW:
            return Weight(f"{value.text}.to({self.written.text(rest[0])})", value.flipped)
        return None

    def _widens(self, name: str, rest: Sequence[ast.expr]) -> bool:
        """`.float()`, `.to(torch.float32)`."""
        kind = self.scope.names.resolve(rest[0]) if len(rest) == 1 else None
        return (name == "float" and not rest) or (name in ("to", "type") and kind in ("torch.float32", "torch.float"))

    def _activated(self, node: ast.Call) -> Value | None:
        """`self.act_fn(rows)`, of a layer that has no weights."""
        if len(node.args) != 1 or node.keywords or dotted(node.func) is None:
            return None
        made = self.scope.attribute(node.func)
        pointwise = made is not None and is_activation(self.scope.constructor, made)
        return self._pointwise(node.args) if pointwise else None


def is_activation(scope: Scope, made: ast.expr) -> bool:
    """`nn.SiLU()`, `ACT2FN[name]`, `F.silu`: computed element by element, and without weights."""
    if isinstance(made, ast.Call):
        name = scope.names.resolve(made.func) or ""
        kind = name.removeprefix("torch.nn.")
        return (
            name.startswith("torch.nn.") and kind in _LAYERS and not any(key.arg == "inplace" for key in made.keywords)
        )
    if isinstance(made, ast.Subscript):
        return (dotted(made.value) or "").rpartition(".")[2] == "ACT2FN"
    name = scope.names.resolve(made) or ""
    return name.startswith(("torch.nn.functional.", "torch.")) and name.rpartition(".")[2] in _POINTWISE


_LAYERS = words(
    "SiLU GELU ReLU ReLU6 ELU SELU CELU LeakyReLU Mish Sigmoid Tanh Softplus Softsign Hardswish Hardtanh Hardsigmoid "
    "LogSigmoid Tanhshrink Identity"
)


def _is_tensor(scope: Scope, node: ast.expr) -> bool:
    """Whether the attribute is a parameter or one of torch's tensors."""
    made = scope.attribute(node)
    name = scope.construction.resolve(made.func) if isinstance(made, ast.Call) else None
    makers = ("zeros", "empty", "randn", "rand", "ones", "stack", "full")
    return name in ("torch.nn.Parameter", "torch.nn.parameter.Parameter", *(f"torch.{maker}" for maker in makers))


def _is_full(node: ast.expr) -> bool:
    whole = isinstance(node, ast.Slice) and node.lower is node.upper is node.step is None
    return whole or (isinstance(node, ast.Constant) and node.value is ...)


def _is_slice(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice)


def _bounds(node: ast.Slice) -> list[ast.expr]:
    return [item for item in (node.lower, node.upper, node.step) if item is not None]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
