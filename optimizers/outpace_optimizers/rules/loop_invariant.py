"""loop-invariant: pure tensor work whose inputs do not change in a loop is done once before it;
repeated casts once.
"""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .invariants import Hoist, hoists
from .repeated_casts import Repeated, repeated
from .scope import Scope, scopes
from .writing import Edit, make_patch


class LoopInvariant:
    id = "loop-invariant"
    title = "Hoist loop-invariant tensor work"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/loop-invariant.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for hoist in hoists(scope):
                idea = self._hoisted(code, scope, hoist)
                if idea is not None:
                    yield idea
            for found in repeated(scope):
                idea = self._once(code, scope, found)
                if idea is not None:
                    yield idea

    def _hoisted(self, code: Code, scope: Scope, hoist: Hoist) -> Idea | None:
        edit = Edit()
        lines: list[str] = []
        for statement in hoist.statements:
            lines.append(scope.text(statement))
            edit.replace(scope.source, statement, [])
        for name, text, nodes in hoist.expressions:
            lines.append(f"{name} = {text}")
            for node in nodes:
                edit.expression(scope.source, node, name)
        edit.before(scope.source, hoist.loop, lines)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"hoist {len(lines)} loop-invariant step{'s'[: len(lines) > 1]} in {scope.definition.qualname}",
            "the inputs do not change in the loop: compute once, not once per iteration",
            self.claimed_class,
            patch,
        )

    def _once(self, code: Code, scope: Scope, found: Repeated) -> Idea | None:
        edit = Edit()
        edit.before(scope.source, found.first, [f"{name} = {text}" for name, text, _ in found.casts])
        for name, _, nodes in found.casts:
            for node in nodes:
                edit.expression(scope.source, node, name)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"convert once in {scope.definition.qualname}",
            "the same conversion of an unchanged tensor is written several times: each is a pass over memory",
            self.claimed_class,
            patch,
        )


RULE: LoopInvariant = LoopInvariant()

__all__ = ["RULE", "LoopInvariant"]
