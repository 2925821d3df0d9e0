"""Convolutions whose windows lie side by side: each output is a product of one patch with the weight."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .attention_ops import integer, pick
from .flow import later_loads
from .names import own_nodes
from .numbers_known import is_number
from .scope import Scope

_FUNCTIONS = {f"torch.{where}conv{rank}d": rank for rank in (1, 2, 3) for where in ("", "nn.functional.")}
_LAYERS = {f"torch.nn.Conv{rank}d": rank for rank in (1, 2, 3)}
_AFTER_WEIGHT = ("bias", "stride", "padding", "dilation", "groups")
_OF_LAYER = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias")
_HOOKS = ("weight_norm", "spectral_norm", "parametri", "register_forward", "prune")
"""Words of a class that may make a layer's weight anew when the layer is called."""
_ANY_LAYOUT = frozenset({
    "flatten", "reshape", "permute", "transpose", "movedim", "unsqueeze", "squeeze", "shape", "size", "dim", "mean",
    "sum", "to", "float", "half", "bfloat16", "contiguous", "dtype", "device",
})  # fmt: skip
"""What of a tensor does the same however it lies in memory."""


@dataclass(frozen=True, slots=True)
class ConvSite:
    """`node` convolves `rows` with windows that are as large as the steps between them."""

    node: ast.Call
    rows: ast.expr
    rank: int
    """Of a window: 2 for images."""
    weight: str
    bias: str | None
    optional: bool
    """Whether the bias may be None at run time."""
    steps: tuple[str, ...]
    """Sizes of a window, as numbers are written here; nothing where a window is one element."""
    tests: tuple[str, ...]
    """What is not known of the weight before it is seen."""


def conv_sites(scope: Scope) -> Iterator[ConvSite]:
    """Those whose input is a name, or is computed before all else in their statement."""
    for node in own_nodes(scope.function):
        if isinstance(node, ast.Call):
            site = _of_function(scope, node) or _of_layer(scope, node)
            if site is not None and (isinstance(site.rows, ast.Name) or leads(scope, node)):
                yield site


def _of_function(scope: Scope, node: ast.Call) -> ConvSite | None:
    """`F.conv2d(x, weight, bias, stride=size)`: how large the weight's windows are, is seen at run time."""
    call = scope.names.call(node)
    if call is None or call[0] not in _FUNCTIONS or len(call[1]) > 7:
        return None
    name, args, keywords = call
    rows, weight = pick(args, keywords, 0, "input"), pick(args, keywords, 1, "weight")
    given = dict(zip(_AFTER_WEIGHT, args[2:], strict=False)) | keywords
    if rows is None or not isinstance(weight, (ast.Name, ast.Attribute)) or not _plain(given):
        return None
    rank, bias = _FUNCTIONS[name], given.get("bias")
    steps = _sizes(scope, given.get("stride"), rank)
    if steps is None or not (bias is None or isinstance(bias, (ast.Name, ast.Attribute)) or _is_none(bias)):
        return None
    one = all(step == "1" for step in steps)
    seen = f"{scope.text(weight)}.shape[2:]"
    test = f"{seen} == ({', '.join(steps)}{',' * (rank == 1)})" if not one else f"{seen}.numel() == 1"
    there = bias is not None and not _is_none(bias)
    return ConvSite(
        node, rows, rank, scope.text(weight), scope.text(bias) if bias is not None and there else None, there,
        () if one else steps, (test,),
    )  # fmt: skip


def _of_layer(scope: Scope, node: ast.Call) -> ConvSite | None:
    """`self.project(x)` of an `nn.Conv2d(channels, width, kernel_size=size, stride=size)`."""
    made = scope.module(node.func) if len(node.args) == 1 and not node.keywords else None
    if made is None or made[0] not in _LAYERS or scope.attribute(node.func) is None or _is_hooked(scope):
        return None
    call, layer = made[1], scope.text(node.func)
    keywords = {key.arg: key.value for key in call.keywords if key.arg is not None}
    starred = any(key.arg is None for key in call.keywords) or any(isinstance(arg, ast.Starred) for arg in call.args)
    given = dict(zip(_OF_LAYER, call.args, strict=False)) | keywords
    if starred or len(call.args) > len(_OF_LAYER) or not _plain(given) or isinstance(node.args[0], ast.Starred):
        return None
    rank, there = _LAYERS[made[0]], given.get("bias")
    sizes = _same_sizes(scope.constructor, given.get("kernel_size"), given.get("stride"), rank)
    if sizes is None:
        return None
    written = tuple(size if size.isdigit() else f"{layer}.kernel_size[{dim}]" for dim, size in enumerate(sizes))
    absent = isinstance(there, ast.Constant) and not there.value
    optional = there is not None and not isinstance(there, ast.Constant)
    return ConvSite(
        node, node.args[0], rank, f"{layer}.weight", None if absent else f"{layer}.bias", optional,
        () if all(size == "1" for size in sizes) else written, (),
    )  # fmt: skip


def _plain(given: Mapping[str, ast.expr]) -> bool:
    """Whether nothing is padded, spread or grouped."""
    padding = given.get("padding")
    valid = isinstance(padding, ast.Constant) and padding.value == "valid"
    return (
        (padding is None or valid or _all(padding, 0))
        and all(given.get(name) is None or _all(given[name], 1) for name in ("dilation", "groups"))
        and not (given.keys() - {"input", "weight", *_AFTER_WEIGHT, *_OF_LAYER, "device", "dtype"})
    )


def _all(node: ast.expr, value: int) -> bool:
    items = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]
    return all(integer(item) == value for item in items)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _sizes(scope: Scope, node: ast.expr | None, rank: int) -> tuple[str, ...] | None:
    """Of each dimension, where they are numbers."""
    if node is None:
        return ("1",) * rank
    items: Sequence[ast.expr] = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node] * rank
    if len(items) != rank or not all(is_number(scope, item) for item in items):
        return None
    simple = all(isinstance(item, (ast.Name, ast.Constant, ast.Attribute)) for item in items)
    return tuple(scope.text(item) for item in items) if simple else None


def _same_sizes(scope: Scope, kernel: ast.expr | None, stride: ast.expr | None, rank: int) -> tuple[str, ...] | None:
    """Where a layer's constructor is given the same for both: a number, or what is written alike."""
    if kernel is None:
        return None
    whole = stride is not None and ast.dump(kernel) == ast.dump(stride)
    if whole and not any(isinstance(item, ast.Call) for item in ast.walk(kernel)):
        literal = isinstance(kernel, (ast.Tuple, ast.List))
        items: Sequence[ast.expr] = kernel.elts if isinstance(kernel, (ast.Tuple, ast.List)) else [kernel] * rank
        return tuple(map(ast.unparse, items)) if len(items) == rank or not literal else None
    one, two = _sizes(scope, kernel, rank), _sizes(scope, stride, rank)
    return one if one is not None and one == two else None


def _is_hooked(scope: Scope) -> bool:
    owner = scope.definition.owner
    text = scope.source.segment(owner) if owner is not None else ""
    return any(word in text for word in _HOOKS)


def leads(scope: Scope, node: ast.expr) -> bool:
    """Whether it is the first that its statement computes: nothing but methods of its result around it."""
    while True:
        parent = scope.parents.get(node)
        if isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is node):
            node = parent
        else:
            return isinstance(parent, (ast.Return, ast.Assign, ast.AnnAssign)) and parent.value is node


def any_layout(scope: Scope, node: ast.expr) -> bool:
    """Whether all that reads the value of `node` does the same however it lies in memory."""
    parent = scope.parents.get(node)
    if isinstance(parent, ast.Attribute):
        return parent.attr in _ANY_LAYOUT
    if not isinstance(parent, ast.Assign) or len(parent.targets) != 1 or not isinstance(parent.targets[0], ast.Name):
        return False
    place = scope.block_of(parent)
    reads = later_loads(scope, *place, parent.targets[0].id) if place is not None else None
    return bool(reads) and all(_takes_any(scope, read) for read in reads or ())


def _takes_any(scope: Scope, read: ast.Name) -> bool:
    parent = scope.parents.get(read)
    if isinstance(parent, ast.BinOp):
        return any_layout(scope, parent)
    return isinstance(parent, ast.Attribute) and parent.attr in _ANY_LAYOUT
