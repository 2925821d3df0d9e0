"""scan-call: a linear recurrence written as a Python loop over time is computed for all steps in log2(steps) passes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from outpace_audit.records import Code, Idea, NumericsClass, Patch
from outpace_optimizers.source import base_hash

from .even_steps import with_even_steps
from .names import own_nodes
from .recurrences import recurrence
from .scan_loops import patched, split
from .scope import Scope, scopes
from .several_states import with_loop_of_its_own
from .stored_steps import with_state
from .turned_lists import with_turned_list


class ScanCall:
    id = "scan-call"
    title = "Scan a linear recurrence"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/scan-call.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope, patch in scanned(code, kernel=False):
            yield Idea(
                self.id,
                f"scan a linear recurrence in {scope.definition.qualname}",
                "a few operations on all steps at once, not several small ones in each",
                self.claimed_class,
                patch,
            )


def scanned(code: Code, kernel: bool) -> Iterator[tuple[Scope, Patch]]:
    """Each loop with a linear recurrence, scanned: by the library's operations, or by a kernel."""
    for scope in scopes(code):
        for node in own_nodes(scope.function):
            patch = _patch(code, scope, node, kernel) if isinstance(node, ast.For) else None
            if patch is not None:
                yield scope, patch


def _patch(code: Code, scope: Scope, loop: ast.For, kernel: bool) -> Patch | None:
    """Of the loop as it is, else with steps that are all alike, else with a name for its state."""
    patch = _scanned(code, scope, loop, kernel)
    for rewritten in (with_even_steps, with_state, with_turned_list):
        other = rewritten(code, scope, loop) if patch is None else None
        made = _scanned(*other, kernel) if other is not None else None
        patch = replace(made, base_hash=base_hash(code.source)) if made is not None else patch
    return patch if patch is not None else _one_after_another(code, scope, loop, kernel)


def _one_after_another(code: Code, scope: Scope, loop: ast.For, kernel: bool) -> Patch | None:
    """Of a loop with several states, where all of them can be scanned."""
    other = with_loop_of_its_own(code, scope, loop)
    first = _scanned(*other, kernel) if other is not None else None
    if first is None:
        return None
    more = replace(code, source=first.new_source)
    for again in scopes(more):
        same = again.definition.qualname == scope.definition.qualname and again.function.name == scope.function.name
        for node in own_nodes(again.function) if same else ():
            last = _patch(more, again, node, kernel) if isinstance(node, ast.For) else None
            if last is not None:
                spans = tuple(dict.fromkeys((*first.spans, *last.spans)))
                return replace(last, base_hash=base_hash(code.source), spans=spans)
    return None


def _scanned(code: Code, scope: Scope, loop: ast.For, kernel: bool) -> Patch | None:
    found = recurrence(scope, loop)
    parts = split(scope, found, kernel) if found is not None else None
    return patched(code, scope, parts) if parts is not None else None


RULE = ScanCall()
