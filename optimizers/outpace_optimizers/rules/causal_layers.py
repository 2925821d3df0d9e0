"""A depthwise convolution as a layer or a call: weight, bias, taps, and whether it pads as a causal one does."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .constants import constant
from .flow import names_in, number
from .names import dotted, own_nodes
from .scope import Scope

_MODULE = (
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "padding_mode",
    "device", "dtype",
)  # fmt: skip
_FUNCTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
MOST_TAPS = 8
"""Of the kernel."""
_PURE = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.Slice)


@dataclass(frozen=True, slots=True)
class Layer:
    """Texts of weight [channels, taps], of bias and of the number of taps. `padded`: it pads both ends with as many
    zeros as a causal one needs at the first, and is to be cut; else it pads none. `known`: the taps, where they are.
    """

    weight: str
    bias: str
    taps: str
    padded: bool
    known: int | None = None
    kind: str | None = None
    """What has to hold for a module to be what it was made as."""


def module_layer(scope: Scope, function: ast.expr) -> Layer | None:
    """Of `self.conv`, set once to `nn.Conv1d(d, d, k, groups=d, padding=k - 1)`, or without padding."""
    made = scope.attribute(function)
    if not isinstance(made, ast.Call) or scope.construction.resolve(made.func) != "torch.nn.Conv1d":
        return None
    given = _given(scope.constructor, made)
    if given is None or not {"in_channels", "out_channels", "kernel_size", "groups"} <= set(given):
        return None
    said = {name: _said(scope.constructor, node) for name, node in given.items()}
    mode = given.get("padding_mode")
    if said["in_channels"] != said["out_channels"] or said["in_channels"] != said["groups"] or said["groups"] == "1":
        return None
    if not _is_one(said.get("stride")) or not _is_one(said.get("dilation")):
        return None
    if mode is not None and not (isinstance(mode, ast.Constant) and mode.value == "zeros"):
        return None
    taps, padding = said["kernel_size"], said.get("padding", "0")
    known = int(taps) if taps.isdecimal() else None
    if known is not None and not 2 <= known <= MOST_TAPS:
        return None
    if padding not in ("0", f"{taps} - 1", f"({taps}) - 1", str((known or 0) - 1)):
        return None
    layer = scope.text(function)
    kind = f"type({layer}) is {scope.names.spell('torch.nn.Conv1d')[0]}"
    weight = f"{layer}.weight"
    return Layer(f"{weight}.squeeze(1)", f"{layer}.bias", f"{weight}.shape[-1]", padding != "0", known, kind)


def function_layer(scope: Scope, args: list[ast.expr], keys: dict[str, ast.expr]) -> Layer | None:
    """Of `F.conv1d(x, weight, bias, groups=d)`, which pads nothing."""
    given = dict(zip(_FUNCTION, args, strict=False)) | keys
    groups, weight = given.get("groups"), given.get("weight")
    if weight is None or groups is None or number(groups) == 1 or set(given) - set(_FUNCTION) or len(args) > 7:
        return None
    plain = all(number(given[name]) == 1 for name in ("stride", "dilation") if name in given)
    if not plain or ("padding" in given and number(given["padding"]) != 0):
        return None
    bias = given.get("bias", ast.Constant(None))
    if not is_plain(bias) and not (isinstance(bias, ast.Constant) and bias.value is None):
        return None
    text = _two_dims(scope, weight)
    if text is None:
        return None
    return Layer(text, ast.unparse(bias), f"{text.removesuffix('.squeeze(1)')}.shape[-1]", False)


def _two_dims(scope: Scope, weight: ast.expr) -> str | None:
    """A weight of [channels, 1, taps] without its second dimension."""
    match weight:
        case ast.Call(func=ast.Attribute(value=inner, attr="unsqueeze"), args=[place], keywords=[]):
            inside = number(place) in (1, -2) and is_plain(inner)
            return scope.text(inner) if inside else None
        case ast.Subscript(value=inner) if ast.unparse(weight.slice) in (":, None", "(:, None)", ":, None, :"):
            return scope.text(inner) if is_plain(inner) else None
        case _:
            return f"{scope.text(weight)}.squeeze(1)" if is_plain(weight) else None


def _given(scope: Scope, made: ast.Call) -> dict[str, ast.expr] | None:
    """The constructor's arguments by name; `**factory_kwargs` may be of nothing but device and dtype."""
    if any(isinstance(item, ast.Starred) for item in made.args) or len(made.args) > len(_MODULE):
        return None
    given: dict[str, ast.expr] = dict(zip(_MODULE, made.args, strict=False))
    if _rebound(scope) & names_in(made):
        return None
    for key in made.keywords:
        if key.arg is not None:
            given[key.arg] = key.value
            continue
        more = _bound(scope, key.value.id) if isinstance(key.value, ast.Name) else key.value
        if not isinstance(more, ast.Dict):
            return None
        names = {item.value if isinstance(item, ast.Constant) else None for item in more.keys}
        if names - {"device", "dtype"}:
            return None
    return given


def _rebound(scope: Scope) -> set[str]:
    """Parameters that the function binds anew: what was made of them before is of another value."""
    args = scope.function.args
    stored = {
        node.id
        for node in own_nodes(scope.function)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    return stored & {item.arg for item in [*args.posonlyargs, *args.args, *args.kwonlyargs]}


def _bound(scope: Scope, name: str) -> ast.expr | None:
    """What a name of the function is, where it is bound once, by a plain assignment at its top."""
    args = scope.function.args
    if name in {item.arg for item in [*args.posonlyargs, *args.args, *args.kwonlyargs]}:
        return None
    stores = [
        node
        for node in own_nodes(scope.function)
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
    ]
    holder = scope.parents.get(stores[0]) if len(stores) == 1 else None
    plain = isinstance(holder, ast.Assign) and holder.targets == stores and holder in scope.function.body
    return holder.value if plain and isinstance(holder, ast.Assign) else None


def _said(scope: Scope, node: ast.expr, depth: int = 6) -> str:
    """A number as such; else the expression, with attributes and names put down as what they were set to."""
    value = constant(scope, node)
    if value is not None:
        return f"{value:.0f}" if value == int(value) else repr(value)
    made = scope.attribute(node)
    if made is None and isinstance(node, ast.Name):
        made = _bound(scope, node.id)
    if made is not None and depth:
        return _said(scope, made, depth - 1)
    if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) == 1:
        return _said(scope, node.elts[0], depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        first = _said(scope, node.left, depth)
        return f"{first} - {_said(scope, node.right, depth)}"
    return ast.unparse(node)


def _is_one(text: str | None) -> bool:
    return text in (None, "1")


def size_of(node: ast.expr) -> tuple[ast.expr, int] | None:
    """(x, 1) of `x.shape[1]` and of `x.size(1)`."""
    match node:
        case ast.Subscript(value=ast.Attribute(value=tensor, attr="shape"), slice=place):
            pass
        case ast.Call(func=ast.Attribute(value=tensor, attr="size"), args=[place], keywords=[]):
            pass
        case _:
            return None
    value = number(place)
    return (tensor, int(value)) if value is not None else None


def is_pure(node: ast.expr) -> bool:
    """Whether reading it twice changes nothing and costs little."""
    if isinstance(node, ast.Call):
        return size_of(node) is not None and dotted(node.func) is not None
    inner = [item for item in ast.iter_child_nodes(node) if isinstance(item, ast.expr)]
    return isinstance(node, _PURE) and all(is_pure(item) for item in inner)


def is_plain(node: ast.expr) -> bool:
    """Whether it is a name, an attribute or a slice of such: an operand that may be read twice."""
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and is_pure(node)
