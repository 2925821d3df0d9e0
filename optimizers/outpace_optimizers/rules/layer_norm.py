"""layer-norm: mean and variance of rows written out become `torch.nn.functional.layer_norm`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .layer_sites import LayerSite, layer_sites
from .layer_values import LAST, Layer
from .parameters import eps_text, is_vector
from .scope import Scope, scopes
from .writing import Edit, make_patch

_CALL = "torch.nn.functional.layer_norm"
_WIDTH = 100


class LayerNorm:
    id = "layer-norm"
    title = "Normalise rows in one call"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/layer-norm.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            found = list(layer_sites(scope))
            idea = self._idea(code, scope, found) if found else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[LayerSite]) -> Idea | None:
        edit = Edit()
        for site in found:
            for statement in site.removed:
                edit.replace(scope.source, statement, [])
            edit.expression(scope.source, site.node, _written(scope, site, edit))
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"layer_norm in {scope.definition.qualname}",
            "the rows are read once, and neither their mean nor what is left without it is written to memory",
            self.claimed_class,
            patch,
        )


def _written(scope: Scope, site: LayerSite, edit: Edit) -> str:
    """The call, and after it what of gain and bias can't be part of it."""
    layer = site.layer
    spelling, needed = scope.names.spell(_CALL)
    edit.imports += [needed] if needed else []
    within = _fits(scope, site, layer.weight) and _fits(scope, site, layer.bias)
    within = within and (not layer.rows.wide or _is_cast(scope, site.node))
    cast = ".float()" if layer.rows.wide else ""
    plain = [layer.rows.name + cast, f"{layer.rows.name}.shape[{layer.dims}]"]
    eps = f"eps={eps_text(scope, layer.eps)}"
    named = [("weight", layer.weight), ("bias", layer.bias)]
    gains = [f"{name}={scope.text(operand)}{cast}" for name, operand in named if operand is not None]
    apart = f"{spelling}({', '.join([*plain, eps])})"
    apart += f" * {scope.text(layer.weight)}" if layer.weight is not None else ""
    apart += f" + {scope.text(layer.bias)}" if layer.bias is not None else ""
    if within and gains and not cast:
        whole = f"{spelling}({', '.join([*plain, *gains, eps])})"
        kinds = " == ".join(f"{one}.dtype" for one in _tensors(scope, layer))
        rows = (whole, f"if {kinds}", f"else {apart}")
        return "(\n" + "".join(f"{scope.source.indent}{row}\n" for row in rows) + ")"
    if not within:
        alone = isinstance(scope.parents.get(site.node), (ast.stmt, ast.Call, ast.keyword, ast.Tuple, ast.List))
        return apart if alone or not (layer.weight or layer.bias) else f"({apart})"
    text = f"{spelling}({', '.join([*plain, *gains, eps])})"
    margin = site.statement.col_offset + len(scope.text(site.statement)) - len(scope.text(site.node))
    if margin + len(text) > _WIDTH:
        rows = [", ".join(plain), *gains, eps]
        text = f"{spelling}(\n" + "".join(f"{scope.source.indent}{row},\n" for row in rows) + ")"
    return text


def _tensors(scope: Scope, layer: Layer) -> list[str]:
    """Which the call wants in one dtype."""
    return [layer.rows.name, *(scope.text(one) for one in (layer.weight, layer.bias) if one is not None)]


def _fits(scope: Scope, site: LayerSite, operand: ast.expr | None) -> bool:
    """Whether it is nothing, or what the call takes beside rows of one dimension."""
    return operand is None or (site.layer.dims == LAST and is_vector(scope, operand))


def _is_cast(scope: Scope, node: ast.expr) -> bool:
    """Whether the result is cast at once, so that a gain in fp64 may be taken in fp32."""
    parent = scope.parents.get(node)
    return isinstance(parent, ast.Attribute) and parent.attr in ("to", "type", "type_as", "half", "bfloat16")


RULE = LayerNorm()
