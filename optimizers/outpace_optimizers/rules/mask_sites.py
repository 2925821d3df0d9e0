"""Loops that ask for each value in turn where a tensor has it: `torch.where(chosen == i)`, `x[labels == i]`, and a
one-hot mask's row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from .attention_mask import defined
from .attention_ops import integer
from .batch_size import binds
from .flow import changed, loads, names_in, root
from .names import dotted, own_nodes
from .one_hot_masks import Hot, hit_of, hot_of
from .scope import Scope

_OF_TENSORS = frozenset({".topk", ".argmax", ".max", ".min", ".argmin", ".sort"})
"""With `dim`, which numpy calls `axis`."""
_PASSED_OVER = frozenset({".bool", ".contiguous", ".long", ".int"})


@dataclass
class Site:
    """What to change in one loop: `{each}` in the texts stands for the places of the loop's value."""

    loop: ast.For
    values: str
    count: str
    texts: list[tuple[ast.expr, str]] = field(default_factory=list[tuple[ast.expr, str]])
    gone: list[ast.stmt] = field(default_factory=list[ast.stmt])
    """Statements of the loop that have nothing left to do."""
    made: list[ast.stmt] = field(default_factory=list[ast.stmt])
    """What made the mask and the list of values that occur: needless where nobody else reads it."""
    hits: bool = False
    """Whether the loop goes over those values alone that occur."""


@dataclass(frozen=True)
class _Asked:
    """A mask of the loop's value: `values` as text, and whether it is boolean, so that it may index."""

    values: str
    boolean: bool
    hot: Hot | None = None


def mask_sites(scope: Scope) -> Iterator[Site]:
    for node in own_nodes(scope.function):
        if isinstance(node, ast.For) and not node.orelse and scope.block_of(node) is not None:
            site = _Loop(scope, node).site()
            if site is not None:
                yield site


def compared_sites(scope: Scope) -> Iterator[Site]:
    """Of masks that are written where they index: `x[labels == i]`, and nowhere else."""
    for node in own_nodes(scope.function):
        if isinstance(node, ast.For) and not node.orelse and scope.block_of(node) is not None:
            site = _Loop(scope, node).compared()
            if site is not None:
                yield site


class _Loop:
    def __init__(self, scope: Scope, loop: ast.For) -> None:
        self.scope = scope
        self.loop = loop
        self.changed = changed(loop)
        self.variable = ""
        self.used: set[int] = set()
        """Ids of the reads of the loop's variable that the edit does away with."""

    def site(self) -> Site | None:
        hit = hit_of(self.scope, self.loop)
        header = (hit.hot.count, hit.name) if hit is not None else self._header()
        if header is None:
            return None
        count, self.variable = header
        body, gone = self.loop.body, list[ast.stmt]()
        if hit is not None and _as_number(body[0], self.variable) and len(body) > 1:
            gone = [body[0]]
        rest = [item for item in body if item not in gone]
        if any(self.variable in changed(item) for item in rest):
            return None
        site = self._questions(rest, count)
        if site is None or (hit is not None and not self._is_number_enough(rest, gone)):
            return None
        site.gone, site.hits = gone, hit is not None
        site.made = [*site.made, *(hit.statements if hit is not None else ())]
        return site

    def compared(self) -> Site | None:
        header = self._header()
        if header is None:
            return None
        count, self.variable = header
        asked = [
            (node.slice, mask)
            for node in own_nodes(self.loop)
            if isinstance(node, ast.Subscript) and (mask := self._mask(node.slice)) is not None and mask.boolean
        ]
        values = {mask.values for _, mask in asked}
        if len(values) != 1 or any(self.variable in changed(item) for item in self.loop.body):
            return None
        return Site(self.loop, values.pop(), count, [(node, "{each}") for node, _ in asked])

    def _header(self) -> tuple[str, str] | None:
        """(count, variable) of `for i in range(count)` and `for i, layer in enumerate(layers)`."""
        match self.loop.iter, self.loop.target:
            case ast.Call(func=ast.Name(id="range"), args=[*starts, count], keywords=[]), ast.Name(id=name):
                plain = not starts or (len(starts) == 1 and _from_zero(starts[0]))
                kept = plain and _plain_count(count) and "range" not in self.scope.names.bound
                return (self.scope.text(count), name) if kept else None
            case (
                ast.Call(func=ast.Name(id="enumerate"), args=[layers], keywords=[]),
                ast.Tuple(elts=[ast.Name(id=name), _]),
            ) if dotted(layers) is not None and "enumerate" not in self.scope.names.bound:
                return f"len({self.scope.text(layers)})", name
            case _:
                return None

    def _questions(self, body: list[ast.stmt], count: str) -> Site | None:
        """The first tensor that is asked for, and all questions to it."""
        site: Site | None = None
        for node in (inner for item in body for inner in [item, *own_nodes(item)]):
            found = self._assigned(node) if isinstance(node, ast.Assign) else self._where(node)
            if found is None:
                continue
            asked, texts = found
            if site is None:
                site = Site(self.loop, asked.values, count)
            if asked.values == site.values:
                site.texts += texts
                site.made += [item for item in (asked.hot.statements if asked.hot else ()) if item not in site.made]
        return site

    def _where(self, node: ast.AST) -> tuple[_Asked, list[tuple[ast.expr, str]]] | None:
        """`torch.where(mask)` and `mask.nonzero()`, of a mask that is written there."""
        given = self._places(node)
        if given is None or isinstance(given[0], ast.Name) or not isinstance(node, ast.expr):
            return None
        asked = self._mask(given[0])
        return (asked, [(node, given[1].format(places="{each}"))]) if asked is not None else None

    def _places(self, node: ast.AST) -> tuple[ast.expr, str] | None:
        """(mask, how the answer is made of its places) of a call that asks where a mask holds."""
        call = self.scope.names.call(node)
        if call is None or call[0] not in ("torch.where", "torch.nonzero", ".nonzero") or len(call[1]) != 1:
            return None
        name, args, keys = call
        tuples = isinstance(keys.get("as_tuple"), ast.Constant) and keys["as_tuple"].value is True  # type: ignore[attr-defined]
        if name == "torch.where":
            return (args[0], "{places}") if not keys else None
        if set(keys) - {"as_tuple"} or not all(isinstance(value, ast.Constant) for value in keys.values()):
            return None
        stack, needed = self.scope.names.spell("torch.stack")
        return (args[0], "{places}" if tuples else f"{stack}({{places}}, dim=-1)") if needed is None else None

    def _mask(self, node: ast.expr) -> _Asked | None:
        """`chosen == i`, a row of a one-hot mask, and either of them cast."""
        call = self.scope.names.call(node)
        if call is not None and call[0] in _PASSED_OVER and len(call[1]) == 1 and not call[2]:
            inner = self._mask(call[1][0])
            return _Asked(inner.values, inner.boolean or call[0] == ".bool", inner.hot) if inner is not None else None
        if call is not None and call[0] in ("torch.eq", ".eq") and len(call[1]) == 2 and not call[2]:
            return self._equal(call[1][0], call[1][1])
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            return self._equal(node.left, node.comparators[0]) or self._equal(node.comparators[0], node.left)
        if call is not None and call[0] == ".squeeze" and len(call[1]) == 2 and integer(call[1][1]) == 0:
            node = call[1][0]
        hot = hot_of(self.scope, self.loop, node, self.variable)
        if hot is None or self.changed & (names_in(hot.values) | {hot.name}):
            return None
        self.used |= {id(item) for item in loads(node, self.variable)}
        return _Asked(hot.text, False, hot)

    def _equal(self, values: ast.expr, other: ast.expr) -> _Asked | None:
        if not isinstance(other, ast.Name) or other.id != self.variable or not isinstance(values, ast.Name):
            return None
        if values.id in self.changed or self._shared(values):
            return None
        self.used.add(id(other))
        return _Asked(self.scope.text(values), True)

    def _shared(self, values: ast.Name) -> bool:
        """Whether something that the loop changes may be the same tensor under another name."""
        inside = defined(self.scope, self.loop, values.id)
        if inside is not None and names_in(inside) & self.changed:
            return True
        for name in self.changed:
            made = defined(self.scope, self.loop, name)
            while isinstance(made, (ast.Attribute, ast.Subscript)):
                made = made.value
            if isinstance(made, ast.Name) and made.id == values.id:
                return True
            call = self.scope.names.call(made) if made is not None else None
            if call is not None and call[0].startswith(".") and not _is_new(call[0]) and root(call[1][0]) == values.id:
                return True
        return False

    def _assigned(self, node: ast.Assign) -> tuple[_Asked, list[tuple[ast.expr, str]]] | None:
        """`mask = chosen == i`, where the mask is asked for its places, indexes, or is asked whether any."""
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return None
        name, asked = node.targets[0].id, self._mask(node.value)
        stores = [item for item in ast.walk(self.scope.function) if isinstance(item, ast.Name) and item.id == name]
        reads = loads(self.scope.function, name)
        if asked is None or len(stores) - len(reads) != 1 or not reads:
            return None
        inside = {id(item) for item in ast.walk(self.loop)}
        texts: list[tuple[ast.expr, str]] = [(node.value, "{each}")]
        known = asked.hot is not None or self._is_tensor(node.value)
        for read in reads:
            change = self._use(read, name, asked.boolean)
            if change is None or id(read) not in inside:
                return None
            known = known or "where" in ast.unparse(change[0])
            texts += [change] if change[1] else []
        return (asked, texts) if known else None

    def _use(self, read: ast.Name, name: str, boolean: bool) -> tuple[ast.expr, str] | None:
        """What becomes of the expression around a read of the mask; an empty text where it stays."""
        parent = self.scope.parents[read]
        if isinstance(parent, ast.Subscript) and parent.slice is read:
            return (parent, "") if boolean else None
        call = self.scope.parents[parent] if isinstance(parent, ast.Attribute) else parent
        if not isinstance(call, ast.Call):
            return None
        places = self._places(call)
        if places is not None and places[0] is read:
            return call, places[1].format(places=name)
        given = self.scope.names.call(call)
        if given is None or len(given[1]) != 1 or given[1][0] is not read or given[2]:
            return None
        above = self.scope.parents[call]
        tested = isinstance(above, (ast.If, ast.BoolOp)) or (
            isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not)
        )
        if given[0] in (".any", "torch.any") and tested:
            return call, f"len({name}[0])"
        counted = isinstance(above, ast.Compare) and isinstance(above.comparators[0], ast.Constant)
        return (call, f"len({name}[0])") if given[0] in (".sum", "torch.sum") and (counted or tested) else None

    def _is_tensor(self, mask: ast.expr) -> bool:
        """Whether what is compared is one of torch's for certain: it is annotated so, or made so."""
        names = names_in(mask) - {self.variable}
        args = self.scope.function.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        noted = {arg.arg for arg in every if arg.annotation and ast.unparse(arg.annotation).endswith("Tensor")}
        return names <= noted or all(self._made_by_torch(name) for name in names)

    def _made_by_torch(self, name: str) -> bool:
        made = [node for node in own_nodes(self.scope.function) if isinstance(node, ast.Assign) and binds(node, name)]
        calls = [self.scope.names.call(node.value) for node in made]
        return bool(made) and all(
            call is not None and (call[0].startswith("torch.") or (call[0] in _OF_TENSORS and "dim" in call[2]))
            for call in calls
        )

    def _is_number_enough(self, body: list[ast.stmt], gone: list[ast.stmt]) -> bool:
        """Whether a number does for the loop's variable, which is a tensor of one element where none is made of it."""
        made = ast.unparse(gone[0].value) if gone and isinstance(gone[0], ast.Assign) else ""
        if made and not made.endswith("[0]"):
            return True
        for read in (read for item in body for read in loads(item, self.variable)):
            parent = self.scope.parents[read]
            if id(read) in self.used or (isinstance(parent, ast.Compare) and made):
                continue
            if not isinstance(parent, ast.Subscript) or parent.slice is not read:
                return False
            layer = self.scope.module(parent.value) if self.scope.attribute(parent.value) is not None else None
            if not made and (layer is None or layer[0] != "torch.nn.ModuleList"):
                return False
        return True


def _is_new(method: str) -> bool:
    return method.startswith(".new_") or method in (".clone", ".repeat", ".sum", ".mean", ".repeat_interleave")


def _from_zero(node: ast.expr) -> bool:
    first = integer(node)
    return first is not None and first >= 0


def _plain_count(node: ast.expr) -> bool:
    """Whether it can be asked for again: a name, a number, a size."""
    calls = [item for item in ast.walk(node) if isinstance(item, ast.Call)]
    sizes = [item for item in calls if isinstance(item.func, ast.Attribute) and item.func.attr == "size"]
    lengths = [item for item in calls if isinstance(item.func, ast.Name) and item.func.id == "len"]
    refused = (ast.NamedExpr, ast.Await, ast.Yield, ast.Lambda, ast.ListComp, ast.GeneratorExp)
    return len(calls) == len(sizes) + len(lengths) and not any(isinstance(item, refused) for item in ast.walk(node))


def _as_number(statement: ast.stmt, name: str) -> bool:
    """`i = i.item()`, `i = int(i)`, `i = i[0]`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            return ast.unparse(value) in (f"{name}.item()", f"int({name})", f"{name}[0]", f"int({name}.item())")
        case _:
            return False
