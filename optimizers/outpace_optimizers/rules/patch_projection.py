"""patch-projection: a convolution of windows side by side, or of one element, becomes a product of matrices."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .conv_sites import ConvSite, any_layout, conv_sites
from .flow import ancestors
from .scope import Scope, scopes
from .writing import Edit, make_patch

_WIDTH = 80
"""Of a call on one line."""


class PatchProjection:
    id = "patch-projection"
    title = "Project patches by one product of matrices"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/patch-projection.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            found = [site for site in conv_sites(scope) if not _is_choice(scope, site)]
            patches, points = [site for site in found if site.steps], [site for site in found if not site.steps]
            for chosen, what in ((patches, "patches"), (points, "single elements")):
                idea = self._idea(code, scope, chosen, what) if chosen else None
                if idea is not None:
                    yield idea

    def _idea(self, code: Code, scope: Scope, found: list[ConvSite], what: str) -> Idea | None:
        edit = Edit()
        for site in found:
            _write(edit, scope, site)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"projections of {what} as products in {scope.definition.qualname}",
            "one product on tensor cores, in the layout that what follows wants",
            self.claimed_class,
            patch,
        )


def _is_choice(scope: Scope, site: ConvSite) -> bool:
    """Whether it is what an edit like this one has left for other inputs."""
    around = [item for item in ancestors(scope, site.node) if isinstance(item, ast.IfExp)]
    return any(".dim() == " in scope.text(item.test) for item in around)


def _write(edit: Edit, scope: Scope, site: ConvSite) -> None:
    """The product where it is one, and the convolution otherwise."""
    rows, place = scope.text(site.rows), scope.block_of(site.node)
    otherwise = scope.text(site.node)
    if not isinstance(site.rows, ast.Name) and place is not None:
        name = scope.names.fresh("inputs")
        edit.before(scope.source, place[0][place[1]], [f"{name} = {rows}"])
        start = len(scope.text(site.node.func))
        otherwise = otherwise[:start] + otherwise[start:].replace(rows, name, 1)
        rows = name
    tests = [f"{rows}.dim() == {site.rank + 2}", *site.tests]
    made = _patches(edit, scope, site, rows) if site.steps else _elements(edit, scope, site, rows)
    tests += [f"{site.bias} is not None"] if site.optional and not site.steps else []
    lines = (made, f"if {' and '.join(tests)}", f"else {otherwise}")
    edit.expression(scope.source, site.node, "(\n" + "".join(f"{scope.source.indent}{line}\n" for line in lines) + ")")


def _patches(edit: Edit, scope: Scope, site: ConvSite, rows: str) -> str:
    """Channels last, seen as a convolution returns them."""
    rank = site.rank
    apart = "".join(f".unfold({dim + 2}, {size}, {size})" for dim, size in enumerate(site.steps))
    order = [0, *range(2, rank + 2), 1, *range(rank + 2, 2 * rank + 2)]
    each = f"{rows}{apart}.permute({', '.join(map(str, order))}).flatten({rank + 1}).contiguous()"
    if len(each) > _WIDTH:
        margin = f"\n{2 * scope.source.indent}"
        each = each.replace(".unfold(", f"{margin}.unfold(").replace(".permute(", f"{margin}.permute(")
    given = [each, f"{site.weight}.flatten(1)", *([site.bias] if site.bias is not None else [])]
    back = ", ".join(map(str, (0, rank + 1, *range(1, rank + 1))))
    laid_out = "" if any_layout(scope, site.node) else ".contiguous()"
    return f"{_called(edit, scope, 'torch.nn.functional.linear', given)}.permute({back}){laid_out}"


def _elements(edit: Edit, scope: Scope, site: ConvSite, rows: str) -> str:
    """Channels stay where they are: the weight is the left factor of each image."""
    flat, back = (f"{rows}.flatten(2)", f".unflatten(2, {rows}.shape[2:])") if site.rank > 1 else (rows, "")
    factors = [f"{site.weight}.flatten(1).expand({rows}.shape[0], -1, -1)", flat]
    if site.bias is None:
        return _called(edit, scope, "torch.bmm", factors) + back
    return _called(edit, scope, "torch.baddbmm", [f"{site.bias}[:, None]", *factors]) + back


def _called(edit: Edit, scope: Scope, full: str, arguments: list[str]) -> str:
    spelling, needed = scope.names.spell(full)
    edit.imports += [needed] if needed and needed not in edit.imports else []
    whole = f"{spelling}({', '.join(arguments)})"
    if len(whole) < _WIDTH:
        return whole
    indent = scope.source.indent
    return f"{spelling}(\n" + "".join(f"{indent}{indent}{item},\n" for item in arguments) + f"{indent})"


RULE = PatchProjection()
