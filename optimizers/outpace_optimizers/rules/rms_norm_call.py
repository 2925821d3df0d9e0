"""rms-norm-call: an RMSNorm written out becomes `torch.nn.functional.rms_norm`, on any device and without Triton.

Not a length that is clamped: where a row is all zeros the library's gradient takes the inverse root to the third power,
which fp32 does not have for an eps as small as the clamp's square.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .norm_sites import Site, sites
from .norm_values import Norm, Reader
from .parameters import eps_text, is_vector
from .scope import Scope, scopes
from .writing import Edit, make_patch

_CALL = "torch.nn.functional.rms_norm"
_WIDTH = 100
_CALLED = frozenset({"rms_norm", "fused_rms_norm", "rms_norm_fits"})
_CASTS = frozenset({"to", "type", "type_as", "float", "half", "bfloat16"})


class RMSNormCall:
    id = "rms-norm-call"
    title = "Normalise rows by their mean square in one call"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/rms-norm-call.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        found: list[tuple[Scope, list[Site]]] = []
        inlined: set[str] = set()
        for scope in scopes(code):
            reader = Reader(scope)
            here = [site for site in sites(scope, reader) if not _called(site) and not site.norm.clamped]
            inlined |= reader.inlined if here else set()
            found.append((scope, here))
        for scope, here in found:
            idea = self._idea(code, scope, here) if here and scope.definition.qualname not in inlined else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Site]) -> Idea | None:
        edit = Edit()
        spelling, needed = scope.names.spell(_CALL)
        edit.imports += [needed] if needed else []
        for site in found:
            text = _written(scope, site, spelling, edit)
            for statement in site.statements[:-1]:
                edit.replace(scope.source, statement, [])
            alone = isinstance(scope.parents.get(site.node), (ast.stmt, ast.Call, ast.keyword, ast.Tuple, ast.List))
            edit.expression(scope.source, site.node, text if alone or text.startswith("(") else f"({text})")
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"rms_norm in {scope.definition.qualname}",
            "one call of the library's, fused where it is, in place of an operation for each step of the formula",
            self.claimed_class,
            patch,
        )


def _called(site: Site) -> bool:
    """Whether the library's function is what is written there already, or the kernel's."""
    nodes = [node for statement in site.statements for node in ast.walk(statement)]
    called = [ast.unparse(node.func).rpartition(".")[2] for node in nodes if isinstance(node, ast.Call)]
    return not _CALLED.isdisjoint(called)


def _written(scope: Scope, site: Site, spelling: str, edit: Edit) -> str:
    norm = site.norm
    wide = norm.dtype is not None
    within = norm.weight is not None and is_vector(scope, norm.weight) and (wide or not _casts(site))
    within = within and norm.dtype != "torch.float32"
    cast = ".float()" if wide else ""
    rows = norm.rows.name
    if norm.promoted and norm.dtype == "torch.float32":
        promoted, needed = scope.names.spell("torch.promote_types")
        edit.imports += [needed] if needed else []
        cast = f".to({promoted}({rows}.dtype, {scope.names.spell('torch.float32')[0]}))"  # rows in fp64 stay there
    arguments, eps = [rows + cast, f"{rows}.shape[-1:]"], f"eps={_eps(scope, norm)}"
    text = f"{spelling}({', '.join([*arguments, eps])})"
    if norm.weight is not None and within:
        gain = scope.text(norm.weight)
        whole = f"{spelling}({', '.join([*arguments, f'weight={gain}{cast}', eps])})"
        if not wide:
            lines = (whole, f"if {rows}.dtype == {gain}.dtype", f"else {text} * {gain}")
            return "(\n" + "".join(f"{scope.source.indent}{line}\n" for line in lines) + ")"
        text = whole
    if len(text) > _WIDTH:
        text = f"{spelling}(\n" + "".join(f"{scope.source.indent}{one},\n" for one in [*arguments, eps]) + ")"
    if norm.weight is not None and not within:
        text = f"{text} * {scope.text(norm.weight)}"
    if norm.dtype not in (None, "torch.float32"):
        text = f"({text}).to({norm.dtype})" if norm.weight is not None and not within else f"{text}.to({norm.dtype})"
    return text


def _casts(site: Site) -> bool:
    """Whether anything is cast: then rows and gain may differ in dtype, which the call does not take."""
    nodes = [node for statement in site.statements for node in ast.walk(statement)]
    return any(isinstance(node, ast.Attribute) and node.attr in _CASTS for node in nodes)


def _eps(scope: Scope, norm: Norm) -> str:
    return eps_text(scope, norm.eps) if isinstance(norm.eps, ast.expr) else norm.eps or "0.0"


RULE = RMSNormCall()
