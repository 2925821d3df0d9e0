"""topk-for-sort: a sort of which a few elements are read becomes `torch.topk`, `torch.max` or `torch.kthvalue`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .flow import number
from .names import own_nodes
from .ranks import Ranks
from .scope import Scope, scopes
from .sorting import Sort, Use, sorts, uses
from .writing import Edit, make_patch


class TopkForSort:
    id = "topk-for-sort"
    title = "Select elements without sorting all of them"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/topk-for-sort.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            ranks = Ranks(scope, code.symbol)
            for made in sorts(scope, own_nodes(scope.function)):
                idea = self._idea(code, scope, made, ranks)
                if idea is not None:
                    yield idea

    def _idea(self, code: Code, scope: Scope, made: Sort, ranks: Ranks) -> Idea | None:
        found = uses(scope, made, ranks) if not scope.of_numpy(made.of) else None
        edit = Edit()
        call = _call(scope, edit, made, found[0]) if found else None
        if found is None or call is None:
            return None
        name, text, after = call
        inside = found[0].node if any(item is made.node for item in ast.walk(found[0].node)) else None
        for use in found:
            end = scope.text(use.node).removeprefix(scope.text(use.base)) if after is None else after
            base = f"{text}.{use.part}" if use.node is inside else scope.text(use.base)
            statement = scope.parents.get(use.node)
            if isinstance(statement, ast.Assign) and [scope.text(item) for item in statement.targets] == [base + end]:
                edit.replace(scope.source, statement, [])
            else:
                edit.expression(scope.source, use.node, base + end)
        if inside is None:
            edit.expression(scope.source, made.node, f"{text}.indices" if made.indices else text)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"{name} in {scope.definition.qualname}",
            "the elements that are read are selected in one pass, and the others are never put in order",
            self.claimed_class,
            patch,
        )


def _call(scope: Scope, edit: Edit, made: Sort, use: Use) -> tuple[str, str, str | None] | None:
    """(function, its call, what follows each result); None for the last: what was chosen there still is."""
    pick, place = use.pick, number(use.pick.count)
    dim = f"dim={made.dim}"
    if pick.kind != "at":
        largest = made.descending == (pick.kind == "first")
        arguments = [_count(scope, made, pick.count), dim, *([] if largest else ["largest=False"])]
        return _written(scope, edit, made, "topk", arguments, f".flip({made.dim})" if pick.kind == "last" else "")
    if place in (0, -1):
        if made.descending == (place == 0):
            return _written(scope, edit, made, "max", [dim], "")
        return _written(scope, edit, made, "topk", ["1", dim, "largest=False"], None)
    if made.descending or isinstance(pick.count, ast.UnaryOp) or (place is not None and place < 0):
        return None
    nth = str(int(place) + 1) if place is not None else f"{scope.text(pick.count)} + 1"
    return _written(scope, edit, made, "kthvalue", [nth, dim], "")


def _written(
    scope: Scope, edit: Edit, made: Sort, name: str, arguments: list[str], after: str | None
) -> tuple[str, str, str | None]:
    spelling, needed = scope.names.spell(f"torch.{name}")
    edit.imports += [needed] if needed else []
    return name, f"{spelling}({', '.join([scope.text(made.of), *arguments])})", after


def _count(scope: Scope, made: Sort, count: ast.expr) -> str:
    """A slice may be longer than the dimension, `topk` may not."""
    text = scope.text(count)
    plain = isinstance(made.of, (ast.Name, ast.Attribute)) and text != "1"
    return f"min({text}, {scope.text(made.of)}.shape[{made.dim}])" if plain else text


RULE = TopkForSort()
