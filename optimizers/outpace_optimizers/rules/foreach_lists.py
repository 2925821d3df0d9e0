"""foreach-lists: a loop that changes one tensor of a list after the other in place becomes `torch._foreach_*` calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass, Patch

from .flow import live_after
from .foreach_body import Body
from .names import own_nodes
from .scope import Scope, scopes
from .writing import Edit, make_patch


class ForeachLists:
    id = "foreach-lists"
    title = "Update all tensors of a list together"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/foreach-lists.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for node in own_nodes(scope.function):
                patch = _together(code, scope, node) if isinstance(node, ast.For) else None
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"update all tensors of a list together in {scope.definition.qualname}",
                        "a few launches for all tensors, not a few for each",
                        self.claimed_class,
                        patch,
                    )


def _together(code: Code, scope: Scope, loop: ast.For) -> Patch | None:
    if scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound or loop.orelse:
        return None
    skipped, body = _skipped(loop)
    read = Body(scope, loop, scope.names.fresh("together"))
    if not body or not all(read.statement(item) for item in body) or not read.changes:
        return None
    if any(live_after(scope, loop, name) for name in read.bound | read.numbers):
        return None
    indent = scope.source.indent
    kept = f" if not ({scope.text(skipped)})" if skipped is not None else ""
    target = scope.text(loop.target)
    row = f"({target})" if isinstance(loop.target, ast.Tuple) and not target.startswith("(") else target
    head = f"{read.rows} = [{row} for {target} in {scope.text(loop.iter)}{kept}]"
    lines = "\n".join([f"if {read.rows}:", *(indent + line for line in read.lines)])
    edit = Edit()
    edit.replace(scope.source, loop, [head, lines])
    return make_patch(scope.source, code, scope.definition, edit)


def _skipped(loop: ast.For) -> tuple[ast.expr | None, list[ast.stmt]]:
    """The test of a first `if p.grad is None: continue`, and what follows."""
    match loop.body:
        case [
            ast.If(
                test=ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]) as test,
                orelse=[],
                body=[ast.Continue()],
            ),
            *rest,
        ]:
            return test, rest
        case _:
            return None, loop.body


RULE = ForeachLists()
