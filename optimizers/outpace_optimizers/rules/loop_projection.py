"""loop-projection: linear maps in a loop over time are done once for all steps, before or after it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from outpace_audit.records import Code, Idea, NumericsClass
from outpace_optimizers.source import base_hash

from .attention_operands import tight
from .flow import names_in
from .inlining import with_helpers
from .names import own_nodes
from .projections import Loop, loops
from .scope import Scope, scopes
from .writing import Edit, make_patch


class LoopProjection:
    id = "loop-projection"
    title = "Project all time steps at once"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/loop-projection.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            ideas = list(self._ideas(code, scope))
            yield from ideas
            if not ideas and scope.function is scope.definition.node and any(_loops(scope)):
                yield from self._of_steps(code, scope)

    def _ideas(self, code: Code, scope: Scope) -> Iterator[Idea]:
        for loop in loops(scope):
            idea = self._idea(code, scope, loop)
            if idea is not None:
                yield idea

    def _of_steps(self, code: Code, scope: Scope) -> Iterator[Idea]:
        """Where a step is a method or function of its own: that written out first."""
        for more in with_helpers(code, scope, _is_step, layers=True):
            same = [item for item in scopes(more) if item.definition.qualname == scope.definition.qualname]
            ideas = [idea for item in same for idea in self._ideas(more, item)]
            if ideas:
                base = base_hash(code.source)
                yield from (replace(idea, patch=replace(idea.patch, base_hash=base)) for idea in ideas)
                return

    def _idea(self, code: Code, scope: Scope, loop: Loop) -> Idea | None:
        edit = Edit()
        lines: dict[str, str] = {}
        for taken in loop.taken:
            whole = tight(taken.text) + f".unbind({taken.dim})"
            name = lines.get(whole) or scope.names.fresh(f"{taken.word}_{'steps' if loop.index else 'step'}")
            lines[whole] = name
            edit.expression(scope.source, taken.node, f"{name}[{loop.index}]" if loop.index else name)
        for kept in loop.kept:
            edit.expression(scope.source, kept.appended, kept.state)
            edit.expression(scope.source, kept.stacked, f"{kept.layer}({scope.text(kept.stacked)})")
        for statement in [*loop.gone, *(kept.gone for kept in loop.kept if kept.gone is not None)]:
            edit.replace(scope.source, statement, [])
        if lines and not loop.index:
            _walk_over(edit, scope, loop, lines)
        elif lines:
            edit.before(scope.source, loop.node, [f"{name} = {text}" for text, name in lines.items()])
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"project all steps at once in {scope.definition.qualname}",
            "one large matrix product for all steps, not a small one in each of them",
            self.claimed_class,
            patch,
        )


def _walk_over(edit: Edit, scope: Scope, loop: Loop, lines: dict[str, str]) -> None:
    """The loop's head: the maps of the slices in place of them, or beside them."""
    names, walked = list(lines.values()), list(lines)
    if not loop.unread:
        names, walked = [scope.text(loop.node.target), *names], [scope.text(loop.node.iter), *walked]
    edit.expression(scope.source, loop.node.target, ", ".join(names))
    edit.expression(scope.source, loop.node.iter, walked[0] if len(walked) == 1 else f"zip({', '.join(walked)})")


def _loops(scope: Scope) -> Iterator[ast.For]:
    return (node for node in own_nodes(scope.function) if isinstance(node, ast.For))


def _is_step(helper: Scope) -> bool:
    """Whether a helper maps one of its arguments by a linear layer of the module."""
    given = {arg.arg for arg in helper.function.args.args}
    for node in own_nodes(helper.function):
        made = helper.layer(node.func) if isinstance(node, ast.Call) else None
        layer = made is not None and made[0] == "torch.nn.Linear"
        if layer and isinstance(node, ast.Call) and len(node.args) == 1 and names_in(node.args[0]) <= given:
            return True
    return False


RULE = LoopProjection()
