"""unfolded-convolution: columns of `F.unfold` that a matrix multiplies become a convolution, which has none."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass

from .names import own_nodes
from .ranks import turned
from .scope import Scope, scopes
from .single_use import bound, meant, unchanged
from .writing import Edit, make_patch

_PLACES = ("kernel_size", "dilation", "padding", "stride")
_CONVOLVED = '''def {name}(x, rows, kernel_size, bias=None, **how):
    """The columns of x that `unfold` makes, each times `rows`, without the columns."""
    if not rows.numel() or (bias is not None and bias.dtype != rows.dtype):
        columns = torch.nn.functional.unfold(x, kernel_size, **how).transpose(-1, -2)
        return torch.nn.functional.linear(columns, rows, bias).transpose(-1, -2)
    height, width = (kernel_size,) * 2 if isinstance(kernel_size, int) else (tuple(kernel_size) * 2)[:2]
    weight = rows.unflatten(1, (x.shape[-3], height, width))
    return torch.nn.functional.conv2d(x, weight, bias, **how).flatten(-2)
'''


@dataclass(frozen=True)
class Columns:
    """`x`, and what `unfold` was told of it; `node` is where that is written."""

    node: ast.expr
    x: ast.expr
    how: Mapping[str, str]


@dataclass(frozen=True)
class Product:
    """`columns` times `rows`; `last` where the result has its channels last."""

    columns: ast.expr
    rows: ast.expr
    bias: str | None = None
    last: bool = False
    layer: str | None = None
    """Whose weight `rows` is."""


class UnfoldedConvolution:
    id = "unfolded-convolution"
    title = "Convolve without columns in memory"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/unfolded-convolution.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound:
                continue
            edit, name, inside = Edit(), scope.names.fresh("convolved"), set[ast.AST]()
            for node in own_nodes(scope.function):
                if isinstance(node, ast.expr) and node not in inside and _convolve(edit, scope, node, name):
                    inside |= set(ast.walk(node))
            if not edit.expressions:
                continue
            edit.definitions = {name: _CONVOLVED.format(name=name)}
            patch = make_patch(scope.source, code, scope.definition, edit)
            if patch is not None:
                yield Idea(
                    self.id,
                    f"convolve without columns in {scope.definition.qualname}",
                    "each element is read where it lies: columns are as many copies of it as a window has elements",
                    self.claimed_class,
                    patch,
                )


def _convolve(edit: Edit, scope: Scope, node: ast.expr, name: str) -> bool:
    product = _product(scope, node)
    columns = _columns(scope, product.columns) if product is not None else None
    if product is None or columns is None or not unchanged(scope, columns.node, node):
        return False
    rows = f"{product.layer}.weight" if product.layer is not None else scope.text(product.rows)
    others = [f"{key}={value}" for key, value in columns.how.items() if key != "kernel_size"]
    bias = [f"bias={product.bias}"] if product.bias not in (None, "None") else []
    given = [scope.text(columns.x), rows, columns.how["kernel_size"], *bias, *others]
    text = f"{name}({', '.join(given)})"
    place = scope.block_of(columns.node)
    if columns.node is not node and place is not None and place[0][place[1]] is not _statement(scope, node):
        edit.replace(scope.source, place[0][place[1]], [])
    edit.expression(scope.source, node, f"{text}.transpose(-1, -2).contiguous()" if product.last else text)
    return True


def _statement(scope: Scope, node: ast.expr) -> ast.stmt | None:
    place = scope.block_of(node)
    return place[0][place[1]] if place is not None else None


def _product(scope: Scope, node: ast.expr) -> Product | None:
    """`rows @ columns`, or a linear layer of the columns turned; turned back, its channels are first."""
    back = turned(scope, node) or _swapped(scope, node)
    if back is not None:
        found = _product(scope, back)
        return Product(found.columns, found.rows, found.bias, layer=found.layer) if found and found.last else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _by_rows(scope, node.left, node.right)
    call = scope.names.call(node)
    if call is None:
        return None
    name, args, keys = call
    if name in ("torch.matmul", ".matmul") and len(args) == 2 and not keys:
        return _by_rows(scope, *args)
    if name == "torch.nn.functional.linear" and len(args) in (2, 3) and set(keys) <= {"bias"}:
        bias = args[2] if len(args) == 3 else keys.get("bias")
        of = _swapped(scope, args[0]) or turned(scope, args[0])
        return Product(of, args[1], scope.text(bias) if bias is not None else None, True) if of is not None else None
    return _layer(scope, node)


def _by_rows(scope: Scope, rows: ast.expr, columns: ast.expr) -> Product | None:
    return Product(columns, rows) if _is_matrix(scope, rows) else None


def _layer(scope: Scope, node: ast.expr) -> Product | None:
    """`self.project(columns.transpose(1, 2))`."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords or scope.attribute(node.func) is None:
        return None
    made = scope.module(node.func)
    of = _swapped(scope, node.args[0]) or turned(scope, node.args[0])
    if made is None or made[0] != "torch.nn.Linear" or of is None:
        return None
    layer = scope.text(node.func)
    return Product(of, node.func, f"{layer}.bias", True, layer)


def _is_matrix(scope: Scope, node: ast.expr) -> bool:
    """`w.view(n, -1)`, `w.reshape(n, -1)`, `w.flatten(1)`, by themselves or under a name, and a linear layer's."""
    node = bound(scope, node)
    call = scope.names.call(node)
    if call is not None and not call[2]:
        texts = [scope.text(item) for item in call[1][1:]]
        return (call[0] in (".view", ".reshape") and len(texts) == 2 and texts[1] == "-1") or (
            call[0] in (".flatten", "torch.flatten") and texts in (["1"], ["start_dim=1"])
        )
    if isinstance(node, ast.Attribute) and node.attr == "weight":
        made = scope.module(node.value) if scope.attribute(node.value) is not None else None
        return made is not None and made[0] == "torch.nn.Linear"
    return False


def _swapped(scope: Scope, node: ast.expr) -> ast.expr | None:
    """x of `x.transpose(1, 2)` and `x.permute(0, 2, 1)`: what `unfold` makes of a batch has three dimensions."""
    call = scope.names.call(node)
    if call is None or call[2] or not call[1]:
        return None
    texts = sorted(map(ast.unparse, call[1][1:])) if "transpose" in call[0] else [*map(ast.unparse, call[1][1:])]
    swaps = call[0] in (".transpose", "torch.transpose") and texts in (["1", "2"], ["-1", "1"], ["-2", "2"])
    return call[1][0] if swaps or (call[0] == ".permute" and texts in (["0", "2", "1"], ["(0, 2, 1)"])) else None


def _columns(scope: Scope, node: ast.expr) -> Columns | None:
    made = meant(scope, node)
    call = scope.names.call(made)
    if call is not None and call[0] == "torch.nn.functional.unfold" and call[1]:
        return _told(scope, made, call[1][0], call[1][1:], call[2])
    if isinstance(made, ast.Call) and len(made.args) == 1 and not made.keywords and scope.attribute(made.func):
        layer = scope.module(made.func)
        if layer is not None and layer[0] == "torch.nn.Unfold":
            keys = {str(key.arg): key.value for key in layer[1].keywords}
            return _told(scope.constructor, made, made.args[0], layer[1].args, keys, literal=True)
    return None


def _told(
    scope: Scope,
    node: ast.expr,
    x: ast.expr,
    args: list[ast.expr],
    keys: Mapping[str, ast.expr],
    literal: bool = False,
) -> Columns | None:
    given = dict(zip(_PLACES, args, strict=False)) | dict(keys)
    simple = all(not literal or _is_literal(value) for value in given.values())
    if "kernel_size" not in given or set(given) - set(_PLACES) or len(args) > len(_PLACES) or not simple:
        return None
    return Columns(node, x, {key: scope.text(value) for key, value in given.items()})


def _is_literal(node: ast.expr) -> bool:
    """What means the same in a constructor and in `forward`."""
    return all(isinstance(item, (ast.Constant, ast.Tuple, ast.List, ast.expr_context)) for item in ast.walk(node))


RULE = UnfoldedConvolution()
