"""scan-call: a linear recurrence written as a Python loop over time is computed for all steps in log2(steps) passes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .names import own_nodes
from .recurrences import recurrence
from .scan_loops import patched, split
from .scope import scopes


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
                patch = patched(code, scope, parts) if parts is not None else None
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"scan a linear recurrence in {scope.definition.qualname}",
                        "a few operations on all steps at once, not several small ones in each",
                        self.claimed_class,
                        patch,
                    )


RULE = ScanCall()
