"""cell-loop: a loop that calls a recurrent cell in every step becomes one call for all steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .cells import cell_loop
from .names import own_nodes
from .scan_loops import patched
from .scope import scopes


class CellLoop:
    id = "cell-loop"
    title = "Run a recurrent cell over all steps at once"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/cell-loop.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for node in own_nodes(scope.function):
                parts = cell_loop(scope, node) if isinstance(node, ast.For) else None
                patch = patched(code, scope, parts) if parts is not None else None
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"run a recurrent cell over all steps at once in {scope.definition.qualname}",
                        "the library's recurrent layer projects all inputs at once and loops over the steps by itself",
                        self.claimed_class,
                        patch,
                    )


RULE = CellLoop()
