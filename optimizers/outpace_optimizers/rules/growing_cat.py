"""growing-cat: a tensor that grows by `torch.cat` in every iteration is joined once, after the loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass, Patch

from .aliasing import Loop, changes_self, mutated
from .attention_ops import pick
from .batch_size import binds
from .flow import ancestors, changes, loads
from .names import own_nodes
from .numbers_known import is_number
from .scope import Scope, scopes
from .writing import Edit, make_patch


class GrowingCat:
    id = "growing-cat"
    title = "Join once, after the loop"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/growing-cat.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for node in own_nodes(scope.function):
                patch = _joined_once(code, scope, node) if isinstance(node, ast.Assign) else None
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"join once after the loop in {scope.definition.qualname}",
                        "each iteration copied all that was there before: n iterations copied n squared halves",
                        self.claimed_class,
                        patch,
                    )


def _joined_once(code: Code, scope: Scope, node: ast.Assign) -> Patch | None:
    grown = _grown(scope, node)
    if grown is None:
        return None
    name, part, dim, in_front = grown
    loop = _loop(scope, node, name)
    place = scope.block_of(loop) if loop is not None else None
    if loop is None or place is None or place[1] + 1 == len(place[0]):
        return None
    edit, parts = Edit(), scope.names.fresh(f"{name}_parts")
    edit.before(scope.source, loop, [f"{parts} = [{name}]"])
    edit.replace(scope.source, node, [f"{parts}.append({scope.text(part)})"])
    cat, needed = scope.names.spell("torch.cat")
    edit.imports.extend([needed] if needed else [])
    given = f", dim={scope.text(dim)}" if dim is not None else ""
    whole = f"{parts}[::-1]" if in_front else parts
    edit.before(scope.source, place[0][place[1] + 1], [f"{name} = {cat}({whole}{given})"])
    return make_patch(scope.source, code, scope.definition, edit)


def _grown(scope: Scope, node: ast.Assign) -> tuple[str, ast.expr, ast.expr | None, bool] | None:
    """(out, part, dim, whether in front) of `out = torch.cat([out, part], dim)`."""
    call = scope.names.call(node.value)
    if call is None or call[0] != "torch.cat" or set(call[2]) - {"dim", "axis", "tensors"}:
        return None
    match node.targets, pick(call[1], call[2], 0, "tensors"):
        case [ast.Name(id=name)], ast.List(elts=[one, two]) | ast.Tuple(elts=[one, two]):
            first, second = (isinstance(item, ast.Name) and item.id == name for item in (one, two))
            dim = pick(call[1], call[2], 1, "dim", "axis")
            part = two if first else one
            plain = dim is None or is_number(scope, dim)
            return (name, part, dim, second) if first != second and not loads(part, name) and plain else None
        case _:
            return None


def _loop(scope: Scope, node: ast.Assign, name: str) -> Loop | None:
    """The outermost loop around in which nothing else has to do with the name, and no tensor changes in place."""
    around = [item for item in ancestors(scope, node) if isinstance(item, (ast.For, ast.While))]
    for loop in reversed(around):
        own = set(ast.walk(node))
        others = [item for item in ast.walk(loop) if item not in own]
        used = any(name in set(changes(item)) or (isinstance(item, ast.Name) and item.id == name) for item in others)
        hidden = any(isinstance(item, (ast.Yield, ast.YieldFrom, ast.Return, ast.Try, ast.With)) for item in others)
        if not used and not hidden and not loop.orelse and not _in_place(scope, loop, name):
            return loop
    return None


def _in_place(scope: Scope, loop: Loop, name: str) -> bool:
    """Whether a part could change after it was handed over: anything but numbers and lists changes in the loop."""
    kept = mutated(loop) - {name, ""}
    plain = all(is_number(scope, ast.Name(item, ast.Load())) or _is_list(scope, item) for item in kept)
    return not plain or changes_self(scope, loop)


def _is_list(scope: Scope, name: str) -> bool:
    made = [item for item in own_nodes(scope.function) if isinstance(item, ast.Assign) and binds(item, name)]
    return bool(made) and all(isinstance(item.value, ast.List) for item in made)


RULE = GrowingCat()
