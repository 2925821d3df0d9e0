"""scan-call: a linear recurrence written as a Python loop over time is computed for all steps in log2(steps) passes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from outpace_audit.records import Code, Idea, NumericsClass, Patch
from outpace_optimizers.source import base_hash, differs_outside

from .loop_to_batch import batched
from .names import own_nodes
from .recurrences import recurrence
from .scan_loops import Split, split
from .scope import Scope, scopes
from .writing import make_patch


class ScanCall:
    id = "scan-call"
    title = "Scan a linear recurrence"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/scan-call.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for node in own_nodes(scope.function):
                found = recurrence(scope, node) if isinstance(node, ast.For) else None
                parts = split(scope, found) if found is not None else None
                patch = self._patch(code, scope, parts) if parts is not None else None
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"scan a linear recurrence in {scope.definition.qualname}",
                        "a few operations on all steps at once, not several small ones in each",
                        self.claimed_class,
                        patch,
                    )

    def _patch(self, code: Code, scope: Scope, parts: Split) -> Patch | None:
        """The loop in two, before and after the recurrence, each of which has to become one batched call."""
        made = make_patch(scope.source, code, scope.definition, parts.edit)
        if made is None:
            return None
        text = made.new_source
        for name in parts.loops:
            again = batched(replace(code, source=text), name)
            if again is None:
                return None
            text = again.new_source
        if differs_outside(code.source, text, tuple(span.qualname for span in made.spans)):
            return None
        return replace(made, base_hash=base_hash(code.source), new_source=text)


RULE = ScanCall()
