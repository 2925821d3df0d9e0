"""loop-to-batch: a Python loop over a tensor's dimension becomes one batched call through `torch.vmap`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from outpace_audit.records import Code, Idea, NumericsClass, Patch
from outpace_optimizers.source import base_hash

from .batch_comprehension import comprehensions
from .batch_emit import looped
from .flow import ancestors, names_in
from .names import own_nodes
from .pair_loops import with_pairs
from .scope import Scope, scopes
from .writing import Edit, make_patch


class LoopToBatch:
    id = "loop-to-batch"
    title = "Batch a Python loop over a tensor dimension"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/loop-to-batch.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope, node, patch in _patches(code):
            outer = next((item for item in ancestors(scope, node) if isinstance(item, ast.For)), None)
            both = self._both(code, scope, outer, patch) if outer is not None else None
            if both is not None:
                yield self._idea(scope, both, "nested loops")
            yield self._idea(scope, patch, "a loop")
        for scope in scopes(code):
            for loop in _loops(scope):
                patch = _of_pairs(code, scope, loop)
                if patch is not None:
                    yield self._idea(scope, patch, "loops over pairs")

    def _both(self, code: Code, scope: Scope, outer: ast.For, inner: Patch) -> Patch | None:
        """The same patch with the loop around it batched too: that loop keeps its place among the
        function's loops.
        """
        place = _loops(scope).index(outer)
        for again, node, patch in _patches(replace(code, source=inner.new_source)):
            same = again.definition.qualname == scope.definition.qualname and again.function.name == scope.function.name
            if same and isinstance(node, ast.For) and _loops(again).index(node) == place:
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


def _patches(code: Code) -> Iterator[tuple[Scope, ast.AST, Patch]]:
    for scope in scopes(code):
        edits: list[tuple[ast.AST, Edit]] = list(comprehensions(scope))
        for node in own_nodes(scope.function):
            edit = looped(scope, node) if isinstance(node, ast.For) else None
            if edit is not None:
                edits.append((node, edit))
        for node, edit in edits:
            patch = make_patch(scope.source, code, scope.definition, edit)
            if patch is not None:
                yield scope, node, patch


def _loops(scope: Scope) -> list[ast.For]:
    return [node for node in own_nodes(scope.function) if isinstance(node, ast.For)]


def _of_pairs(code: Code, scope: Scope, loop: ast.For) -> Patch | None:
    made = with_pairs(code, scope, loop)
    patch = batched(replace(code, source=made[0]), made[1]) if made is not None else None
    return replace(patch, base_hash=base_hash(code.source)) if patch is not None else None


def batched(code: Code, name: str) -> Patch | None:
    """The text with the loop batched that says `name`, where there is one such loop."""
    found = [patch for _, node, patch in _patches(code) if isinstance(node, ast.For) and name in names_in(node)]
    return found[0] if len(found) == 1 else None


RULE = LoopToBatch()
