"""mask-loop: a loop that asks for each value in turn where a tensor has it asks once for all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from outpace_audit.records import Code, Idea, NumericsClass, Patch
from outpace_optimizers.source import module_level, tree_of

from .flow import loads
from .mask_sites import Site, mask_sites
from .names import imported
from .scope import Scope, scopes
from .writing import Edit, make_patch

_HELPER = "where_each"
_TEXT = '''def where_each(values, count):
    """`torch.where(values == i)` for every i below count: one sort, and one wait for the device."""
    if values.dtype not in (torch.int32, torch.int64) or values.dim() == 0:
        return [torch.where(values == i) for i in range(count)]
    ordered, order = torch.sort(values.flatten(), stable=True)
    wanted = torch.arange(count + 1, dtype=ordered.dtype, device=ordered.device)
    edges = torch.searchsorted(ordered, wanted).tolist()
    places = [place.tensor_split(edges) for place in torch.unravel_index(order, values.shape)]
    return list(zip(*places))[1:-1]
'''


class MaskLoop:
    id = "mask-loop"
    title = "Find the places of all values by one sort"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/mask-loop.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for site in mask_sites(scope):
                patch = _patch(code, scope, site)
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"one sort for all values in {scope.definition.qualname}",
                        "each value's mask reads the whole tensor, and the device is waited for to count its places",
                        self.claimed_class,
                        patch,
                    )


def _patch(code: Code, scope: Scope, site: Site) -> Patch | None:
    edit, name = Edit(), _helper(scope, site)
    if name is None:
        return None
    if name not in scope.source.definitions:
        edit.definitions[name] = _TEXT
        edit.imports += [] if "torch" in imported(list(module_level(scope.source.tree.body))) else ["import torch"]
    places, index = scope.names.fresh("places"), _variable(site)
    edit.before(scope.source, site.loop, [f"{places} = {name}({site.values}, {site.count})"])
    for node, text in site.texts:
        edit.expression(scope.source, node, text.format(each=f"{places}[{index}]"))
    for statement in site.gone:
        edit.replace(scope.source, statement, [])
    if site.hits:
        found = scope.names.fresh("found")
        edit.expression(
            scope.source, site.loop.iter, f"[{index} for {index}, {found} in enumerate({places}) if len({found}[0])]"
        )
    for statement in needless(scope, site):
        edit.replace(scope.source, statement, [])
    return make_patch(scope.source, code, scope.definition, edit)


def _variable(site: Site) -> str:
    target = site.loop.target.elts[0] if isinstance(site.loop.target, ast.Tuple) else site.loop.target
    assert isinstance(target, ast.Name)
    return target.id


def _helper(scope: Scope, site: Site) -> str | None:
    """None where the name of the function, or torch's, means something else in this file."""
    table = imported(list(module_level(scope.source.tree.body)))
    bound = {node.id for node in ast.walk(scope.source.tree) if isinstance(node, ast.Name) and not _loaded(node)}
    if {"torch", _HELPER} & bound or _HELPER in table or table.get("torch", "torch") != "torch":
        return None
    there = scope.source.definitions.get(_HELPER)
    if there is not None and ast.dump(there.node) != ast.dump(tree_of(_TEXT).body[0]):
        return None
    return _HELPER


def _loaded(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def needless(scope: Scope, site: Site, others: Sequence[ast.stmt] = ()) -> Iterator[ast.stmt]:
    """The statements that made the masks, last first, where what is read of them is gone, as `others` are; a `with`
    that holds nothing else goes as a whole.
    """
    gone = {id(item) for node in (*(node for node, _ in site.texts), *others) for item in ast.walk(node)}
    gone |= {id(item) for item in ast.walk(site.loop.iter)} if site.hits else set[int]()
    removed: list[ast.stmt] = []
    for statement in _last_first(site.made):
        assert isinstance(statement, ast.Assign)
        own = {id(item) for item in ast.walk(statement)}
        (target,) = statement.targets
        assert isinstance(target, ast.Name)
        if all(id(read) in gone | own for read in loads(scope.function, target.id)):
            gone |= own
            removed.append(statement)
    for statement in removed:
        holder = scope.parents.get(statement)
        if not isinstance(holder, ast.With) or not all(item in removed for item in holder.body):
            yield statement
        elif statement is holder.body[0]:
            yield holder


def _last_first(statements: Iterable[ast.stmt]) -> list[ast.stmt]:
    return sorted(set(statements), key=lambda item: item.lineno, reverse=True)


RULE = MaskLoop()
