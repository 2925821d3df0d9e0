"""loop-to-batch: a Python loop over a tensor's dimension becomes one batched call through `torch.vmap`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from outpace_audit.records import Code, Idea, NumericsClass, Patch

from ..source import base_hash
from .batch_comprehension import comprehensions
from .batch_emit import looped
from .names import own_nodes
from .scope import Scope, scopes
from .writing import Edit, make_patch


class LoopToBatch:
    id = "loop-to-batch"
    title = "Batch a Python loop over a tensor dimension"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/loop-to-batch.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope, nested, patch in self._patches(code):
            if nested:
                both = self._outer(code, patch)
                if both is not None:
                    yield self._idea(scope, both, "nested loops")
            yield self._idea(scope, patch, "a loop")

    def _patches(self, code: Code) -> Iterator[tuple[Scope, bool, Patch]]:
        """Innermost loops first; whether each stands in another loop."""
        for scope in scopes(code):
            edits: list[tuple[ast.AST, Edit]] = []
            for node in own_nodes(scope.function):
                edit = looped(scope, node) if isinstance(node, ast.For) else None
                if edit is not None:
                    edits.append((node, edit))
            edits.extend(comprehensions(scope))
            for node, edit in edits:
                patch = make_patch(scope.source, code, scope.definition, edit)
                if patch is not None:
                    outer = scope.parents.get(node)
                    while outer is not None and not isinstance(outer, (ast.For, ast.ListComp, ast.GeneratorExp)):
                        outer = scope.parents.get(outer)
                    yield scope, outer is not None, patch

    def _outer(self, code: Code, inner: Patch) -> Patch | None:
        """The same patch with the loop around it batched too."""
        again = replace(code, source=inner.new_source)
        for _, _, patch in self._patches(again):
            if patch.spans == inner.spans:
                return replace(patch, base_hash=base_hash(code.source))
        return None

    def _idea(self, scope: Scope, patch: Patch, what: str) -> Idea:
        return Idea(
            self.id,
            f"batch {what} in {scope.definition.qualname} with torch.vmap",
            "one batched kernel per operation, not one small kernel per operation and iteration",
            self.claimed_class,
            patch,
        )


RULE = LoopToBatch()
