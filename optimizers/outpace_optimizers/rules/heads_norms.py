"""Calls that normalise heads: an RMSNorm of the library's, of the file's, or a function or method that is one."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from .attention_ops import pick
from .norm_sites import sites
from .norm_values import Norm, Reader
from .numbers_known import is_number
from .scope import Scope
from .substitution import put


@dataclass(frozen=True, slots=True)
class Normalised:
    """`weight`, `eps` and `strict` as in `Heads`, of rows that are `given`."""

    given: ast.expr
    weight: str | None
    eps: str
    strict: bool


def normalised(scope: Scope, node: ast.Call) -> Normalised | None:
    """What `self.q_norm(rows)`, `norm(rows)` and `F.rms_norm(rows, ...)` come to."""
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(key.arg is None for key in node.keywords):
        return None
    name = scope.names.resolve(node.func)
    if name == "torch.nn.functional.rms_norm":
        return _function(scope, node)
    layer = scope.module(node.func) if scope.attribute(node.func) is not None else None
    if layer is not None and layer[0] == "torch.nn.RMSNorm":
        return _library(scope, node, layer[1])
    return _written(scope, node)


def _function(scope: Scope, node: ast.Call) -> Normalised | None:
    given = dict(zip(("input", "normalized_shape", "weight", "eps"), node.args, strict=False))
    given |= {str(key.arg): key.value for key in node.keywords}
    rows, weight, eps = given.get("input"), given.get("weight"), given.get("eps")
    if rows is None or given.get("normalized_shape") is None:
        return None
    text = ast.unparse(given["normalized_shape"]).replace("[", "(").replace("]", ")").replace(",)", ")")
    of = ast.unparse(rows)
    known = text in (f"({of}.size(-1))", f"({of}.shape(-1))", f"{of}.shape(-1:)")
    if not known or (eps is not None and not is_number(scope, eps)):
        return None
    bare = weight is None or (isinstance(weight, ast.Constant) and weight.value is None)
    return Normalised(rows, None if bare or weight is None else ast.unparse(weight), _eps(eps), True)


def _eps(eps: ast.expr | None) -> str:
    """Of the rows' dtype, where none is given."""
    none = eps is None or (isinstance(eps, ast.Constant) and eps.value is None)
    return "None" if none or eps is None else ast.unparse(eps)


def _library(scope: Scope, node: ast.Call, made: ast.Call) -> Normalised | None:
    """`nn.RMSNorm(width, eps=1e-6)`, of one dimension: its gain is as wide as a head, or the kernel refuses it."""
    if len(node.args) != 1 or node.keywords:
        return None
    keys = {str(key.arg): key.value for key in made.keywords}
    affine = pick(list(made.args), keys, 2, "elementwise_affine")
    if affine is not None and not (isinstance(affine, ast.Constant) and affine.value is True):
        return None
    layer = ast.unparse(node.func)
    return Normalised(node.args[0], f"{layer}.weight", f"{layer}.eps", True)


def _written(scope: Scope, node: ast.Call) -> Normalised | None:
    """A function of the file, or the `forward` of a layer of its, that is an RMSNorm of its one argument."""
    found, receiver = definition_of(scope, node)
    if found is None or len(node.args) != 1 or node.keywords:
        return None
    function = found.function
    names = [arg.arg for arg in function.args.args][receiver is not None :]
    body = [item for item in function.body if not _says_nothing(item)]
    reader = Reader(found)
    whole = [site for site in sites(found, reader) if site.whole and list(site.statements) == body]
    if not names or len(whole) != 1 or not isinstance(body[-1], ast.Return):
        return None
    norm = whole[0].norm
    return _of(found, node, names, receiver, norm)


def _of(found: Scope, node: ast.Call, names: list[str], receiver: ast.expr | None, norm: Norm) -> Normalised | None:
    if norm.rows.name != names[0] or norm.rows.version or norm.clamped or norm.dtype == "torch.float32":
        return None
    defaults = found.function.args.defaults
    known: dict[str, ast.expr] = dict(zip(reversed(names), reversed(defaults), strict=False))
    known[names[0]] = node.args[0]
    if receiver is not None:
        known[found.function.args.args[0].arg] = receiver
    if set(names) - set(known) or not all(isinstance(known[name], ast.Constant) for name in names[1:]):
        return None
    weight = _put(norm.weight, known) if norm.weight is not None else None
    eps = _put(norm.eps, known) if isinstance(norm.eps, ast.expr) else _spelled(norm.eps)
    if eps is None or (norm.weight is not None and weight is None):
        return None
    return Normalised(node.args[0], weight, eps, norm.dtype is not None)


def _spelled(eps: str | None) -> str:
    """`torch.finfo(x.dtype).eps` as None, which the kernel's caller takes for it."""
    return "0.0" if eps is None else "None"


def _put(node: ast.expr, known: Mapping[str, ast.expr]) -> str | None:
    made = put(node, known)
    return ast.unparse(made) if made is not None else None


def definition_of(scope: Scope, node: ast.Call) -> tuple[Scope | None, ast.expr | None]:
    """(its scope, what its `self` is) of what is called."""
    source, owner = scope.source, scope.definition.owner
    name, receiver = "", None
    if isinstance(node.func, ast.Name) and node.func.id not in scope.names.bound:
        name = node.func.id
    elif isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == scope.self_name and owner is not None:
        layer = scope.own_layer(node.func)
        name = f"{layer.name}.forward" if layer is not None else f"{owner.name}.{node.func.attr}"
        receiver = node.func if layer is not None else node.func.value
        if layer is not None and f"{layer.name}.__call__" in source.definitions:
            return None, None
    found = source.definitions.get(name)
    if found is None or not isinstance(found.node, ast.FunctionDef):
        return None, None
    decorators = [ast.unparse(item) for item in found.node.decorator_list]
    if decorators == ["staticmethod"]:
        return Scope(source, found, found.node), None
    return (Scope(source, found, found.node), receiver) if not decorators else (None, None)


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
