"""rms-norm: an RMSNorm written out, or `F.rms_norm`, becomes one Triton kernel, and one in backward."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .flow import names_in
from .guarded import edit_with_kernels, guard
from .norm_sites import Site, sites
from .norm_values import Reader
from .parameters import eps_text
from .scope import Scope, scopes
from .writing import make_patch


class RMSNorm:
    id = "rms-norm"
    title = "Normalise rows in one kernel"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/rms-norm.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        found: list[tuple[Scope, list[Site]]] = []
        inlined: set[str] = set()
        for scope in scopes(code):
            reader = Reader(scope)
            here = [] if "rms_norm_fits" in names_in(scope.function) else list(sites(scope, reader))
            inlined |= reader.inlined if here else set()
            found.append((scope, here))
        for scope, here in found:
            idea = self._idea(code, scope, here) if here and scope.definition.qualname not in inlined else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Site]) -> Idea | None:
        edit = edit_with_kernels(scope.source, "RMSNorm in one kernel", "rms_norm")
        if edit is None:
            return None
        for site in found:
            norm = site.norm
            weight = scope.text(norm.weight) if norm.weight is not None else "None"
            eps = eps_text(scope, norm.eps) if isinstance(norm.eps, ast.expr) else norm.eps or "0.0"
            arguments = [norm.rows.name, weight, eps]
            arguments += [norm.dtype] if norm.dtype else []
            fits, call = f"rms_norm_fits({norm.rows.name}, {weight})", f"fused_rms_norm({', '.join(arguments)})"
            if norm.clamped:
                fits += f" and {norm.rows.name}.dtype is not {scope.names.spell('torch.float16')[0]}"
            guard(edit, scope, site.statements, site.node, fits, call)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"RMSNorm in one Triton kernel in {scope.definition.qualname}",
            "the rows are read once forward and once backward, and nothing between is written to memory",
            self.claimed_class,
            patch,
        )


RULE = RMSNorm()
