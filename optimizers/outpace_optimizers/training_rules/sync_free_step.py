"""sync-free-step: numbers for a log stay on the device until they are logged, so that no step waits for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import imported, local_names
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import FunctionNode, Source, module_level

from .fitting import DoesNotApply
from .host_reads import Read, StepFunction, backward_calls, mentions, reads, step_functions, tensors
from .scopes import Scope, names_in, scopes

_EXACT = (ast.Add, ast.Sub, ast.Mult)
"""Operations that a device rounds as Python does. A division by a number is one by its reciprocal on a GPU."""
_ON_DEVICE = '''\
def {}(value):
    """A copy where the tensor is, as wide as Python's numbers: sums of such are the same to the last digit."""
    wide = torch.float64 if value.is_floating_point() else torch.int64
    return value.detach().to(torch.bool if value.dtype == torch.bool else wide, copy=True)
'''
_ON_HOST = '''\
def {}(value):
    """The number of such a tensor. Here the device is waited for."""
    return value.item() if isinstance(value, torch.Tensor) else value
'''


class SyncFreeStepRule:
    id = "sync-free-step"
    title = "Keep numbers for the log on the device until they are logged"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/sync-free-step.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        if imported(list(module_level(source.tree.body))).get("torch") != "torch":
            raise DoesNotApply("it does not import torch by its own name")
        every = scopes(source)
        steps = list(step_functions(every))
        flows = [_Flow(source, scope, steps, every) for scope in every]
        if not any(flow.reads for flow in flows):
            raise DoesNotApply(_nothing_read(every))
        reasons: list[str] = []
        steps = [step for step in steps if _all_kept(source, step, flows)]
        flows = [_Flow(source, scope, steps, every) for scope in every]
        edit, names = Edit(), (every[0].names.fresh("on_device"), every[0].names.fresh("on_host"))
        for flow in flows:
            flow.write(edit, *names)
            reasons += flow.reasons
        for step in steps:
            _replace(source, edit, step.read, names[0])
        if not edit.places:
            raise DoesNotApply("; ".join(dict.fromkeys(reasons)) or "what it reads in its steps it reads to log alone")
        edit.definitions = {names[0]: _ON_DEVICE.format(names[0]), names[1]: _ON_HOST.format(names[1])}
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply("its loop can't be edited faithfully")
        kept = ", ".join(sorted({name for flow in flows for name in flow.kept}))
        yield Idea(
            self.id,
            f"keep {kept} on the device until used",
            "a number that is read in each step makes the host wait, and then the device for the host's next kernels",
            self.claimed_class,
            patch,
        )


@dataclass
class _Flow:
    """What becomes of the numbers that one scope's loop reads. `kept`: variables that can stay on the device, with the
    statements that set or fill them in the loop."""

    source: Source
    scope: Scope
    steps: list[StepFunction]
    every: list[Scope]
    reasons: list[str] = field(default_factory=list[str])
    kept: dict[str, list[ast.stmt]] = field(default_factory=dict[str, list[ast.stmt]])

    def __post_init__(self) -> None:
        self.reads = reads(self.scope, self.steps)
        self.by_node = {id(read.node): read for read in self.reads}
        self.tensors = tensors(self.scope) if self.reads else set[str]()
        self.lists = set[str]()
        if self.reads:
            self._collect()
            while blocked := self._blocked():
                del self.kept[blocked]
            self._give_up_if_it_waits()

    def _collect(self) -> None:
        """All variables that are made of what is read by sums and products, or are lists of such."""
        loops = {id(self.scope.loop(read.node)) for read in self.reads}
        size = -1
        while size != sum(map(len, self.kept.values())):
            size = sum(map(len, self.kept.values()))
            for node in self.scope.nodes:
                if isinstance(node, ast.stmt) and id(self.scope.loop(node)) in loops and not self._late(node):
                    name = self._target(node)
                    if name is not None and node not in self.kept.get(name, []):
                        self.kept.setdefault(name, []).append(node)

    def _target(self, node: ast.stmt) -> str | None:
        """Of a statement whose value can stay on the device."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, _EXACT):
            target, value = node.target, node.value
        elif isinstance(node, ast.Expr) and (call := _append(node.value)) is not None:
            target, value = call
            if not self._is_list(target.id):
                return None
            self.lists.add(target.id)
        else:
            return None
        if not isinstance(target, ast.Name) or (not isinstance(node, ast.AugAssign) and self._shared(target, value)):
            return None
        return target.id if self._stays(value) else None

    def _shared(self, target: ast.Name, value: ast.expr) -> bool:
        """Whether two names would hold one tensor, which `+=` changes in place, as it does no number."""
        names = {target.id, value.id} if isinstance(value, ast.Name) else set[str]()
        updates = (n.target for n in self.scope.nodes if isinstance(n, ast.AugAssign))
        return any(isinstance(one, ast.Name) and one.id in names for one in updates)

    def _is_list(self, name: str) -> bool:
        """Set by `[]` and nothing else."""
        values = [n.value for n in self.scope.nodes if isinstance(n, ast.Assign) and _sets(n, name)]
        plain = values and all(isinstance(one, ast.List) and not one.elts for one in values)
        return bool(plain) or self._in_tuple(name)

    def _in_tuple(self, name: str) -> bool:
        """`step, losses = 0, []`."""
        for node in self.scope.nodes:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                target = node.targets[0]
                if isinstance(target, ast.Tuple) and len(target.elts) == len(node.value.elts):
                    pairs = zip(target.elts, node.value.elts, strict=True)
                    held = [v for t, v in pairs if isinstance(t, ast.Name) and t.id == name]
                    if held and all(isinstance(v, ast.List) and not v.elts for v in held):
                        return len(self.scope.stores(name)) == 1
        return False

    def _stays(self, value: ast.expr) -> bool:
        """Sums and products of numbers, at least one of them on the device."""
        leaves = list(_leaves(value))
        if any(leaf is None for leaf in leaves):
            return False
        ours = [leaf for leaf in leaves if id(leaf) in self.by_node or self._kept_name(leaf)]
        rest = [leaf for leaf in leaves if leaf is not None and leaf not in ours]
        free = all(
            not self._inner(leaf) and not (isinstance(leaf, ast.Name) and leaf.id in self.tensors) for leaf in rest
        )
        return bool(ours) and free

    def _kept_name(self, leaf: ast.expr | None) -> bool:
        return isinstance(leaf, ast.Name) and leaf.id in self.kept and leaf.id not in self.lists

    def _inner(self, leaf: ast.expr) -> bool:
        """Whether something that is read, or kept, is used in a call or the like."""
        return any(id(node) in self.by_node for node in ast.walk(leaf)) or bool(names_in(leaf) & self.kept.keys())

    def _blocked(self) -> str | None:
        """A variable that is used where its number is needed in every step."""
        for name, statements in self.kept.items():
            why = self._hidden(name)
            if not why:
                line = next((use.lineno for use in self._uses(name) if self._place(name, use) is None), None)
                why = f"{name} is used in every step (line {line})" if line else ""
            if not why and len({id(self.scope.loop(node)) for node in statements}) > 1:
                why = f"{name} is set in several loops"
            if why:
                self.reasons.append(why)
                return name
        return None

    def _hidden(self, name: str) -> str:
        """Why uses of the name can't all be seen."""
        inner = [node for node in self.scope.nodes if isinstance(node, (FunctionNode, ast.Lambda, ast.ClassDef))]
        shared = isinstance(self.scope.node, ast.Module)
        others: list[ast.AST] = [one.node for one in self.every if one is not self.scope] if shared else [*inner]
        for node in others:
            own = (
                local_names(node)
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                else set[str]()
            )
            if name in names_in(node) and name not in own:
                return f"{name} is used in a function of its own (line {getattr(node, 'lineno', 0)})"
        declared = (n for n in self.scope.nodes if isinstance(n, (ast.Global, ast.Nonlocal)) and name in n.names)
        return f"{name} is global" if any(declared) else ""

    def _uses(self, name: str) -> Iterator[ast.Name]:
        """Reads of the name, but for those in statements that keep it on the device, or make others that stay there."""
        own = {id(node) for statements in self.kept.values() for node in statements}
        updates = (
            n.target for n in self.scope.nodes if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
        )
        for node in (*self.scope.loads(name), *(target for target in updates if target.id == name)):
            if id(self.scope.statement(node)) not in own:
                yield node

    def _place(self, name: str, use: ast.AST) -> ast.stmt | None:
        """Before which statement the number has to be fetched for a use: one that is not reached in every step."""
        loop = self.scope.loop(self.kept[name][0])
        assert loop is not None
        path = [use, *self.scope.around(use)]
        common: ast.AST = loop
        if loop not in path:
            outer = {id(node) for node in self.scope.around(loop)}
            common = next((node for node in path if id(node) in outer), self.scope.node)
        below = path[: path.index(common)] if common in path else path
        first = below[-1] if below else None
        for inner, around in reversed(list(pairwise(below))):
            if isinstance(around, ast.If) and inner in (*around.body, *around.orelse) and not _is_elif(inner, around):
                return inner if isinstance(inner, ast.stmt) else None
        return first if common is not loop and isinstance(first, ast.stmt) else None

    def _give_up_if_it_waits(self) -> None:
        """Where one number is needed in each step, nothing is won by keeping others."""
        own = {id(node) for statements in self.kept.values() for node in statements}
        waits = False
        for read in self.reads:
            statement = self.scope.statement(read.node)
            if id(statement) in own or self._late(statement):
                continue
            waits = True
            if self._target(statement) is None:
                said = ast.unparse(read.node)
                self.reasons.append(f"{said} is used in every step (line {read.node.lineno})")
        if waits:
            self.kept.clear()

    def _late(self, node: ast.AST) -> bool:
        """Whether it is reached in some steps alone."""
        loop = self.scope.loop(node)
        return any(isinstance(one, ast.If) for one in takewhile(lambda one: one is not loop, self.scope.around(node)))

    def write(self, edit: Edit, on_device: str, on_host: str) -> None:
        own = {id(node) for statements in self.kept.values() for node in statements}
        for read in self.reads:
            if id(self.scope.statement(read.node)) in own and read.tensor is not None:
                _replace(self.source, edit, read, on_device)
        for name in self.kept:
            text = f"{name} = {on_host}({name})"
            if name in self.lists:
                text = f"{name}[:] = [{on_host}(one) for one in {name}]"
            for place in self._places(name):
                edit.before(self.source, place, [text])

    def _places(self, name: str) -> list[ast.stmt]:
        """The first of each block that needs the number."""
        first: dict[int, ast.stmt] = {}
        for use in self._uses(name):
            place = self._place(name, use)
            if place is not None and not self._before_all(name, place):
                block = id(self.scope.block(place))
                if block not in first or place.lineno < first[block].lineno:
                    first[block] = place
        return list(first.values())

    def _before_all(self, name: str, place: ast.stmt) -> bool:
        """Above the loop, and in no other."""
        loop = self.scope.loop(self.kept[name][0])
        assert loop is not None
        return place.lineno < loop.lineno and self.scope.loop(place) is None


def _append(node: ast.expr) -> tuple[ast.Name, ast.expr] | None:
    """`name.append(value)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
        of = node.func.value
        if isinstance(of, ast.Name) and len(node.args) == 1 and not node.keywords:
            return of, node.args[0]
    return None


def _sets(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _is_elif(inner: ast.AST, around: ast.If) -> bool:
    return isinstance(inner, ast.If) and around.orelse == [inner] and inner.col_offset == around.col_offset


def _leaves(node: ast.expr) -> Iterator[ast.expr | None]:
    """Operands of sums, differences and products; None for any other operation on numbers."""
    if isinstance(node, ast.BinOp):
        yield from (*_leaves(node.left), *_leaves(node.right)) if isinstance(node.op, _EXACT) else (None,)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield from _leaves(node.operand)
    else:
        yield node


def _replace(source: Source, edit: Edit, read: Read, on_device: str) -> None:
    assert read.tensor is not None
    text = f"{on_device}({source.segment(read.tensor)})"
    edit.expression(source, read.node, f"{text}.double()" if read.real else text)


def _all_kept(source: Source, step: StepFunction, flows: list[_Flow]) -> bool:
    """Whether every mention of the step is a call whose number stays on the device."""
    calls = 0
    for flow in flows:
        own = {id(node) for statements in flow.kept.values() for node in statements}
        for read in flow.reads:
            called = isinstance(read.node, ast.Call) and read.tensor is None
            if called and mentions(read.node.func, step.name) and id(flow.scope.statement(read.node)) in own:  # pyright: ignore[reportAttributeAccessIssue]
                calls += 1
    return calls > 0 and calls == mentions(source.tree, step.name)


def _nothing_read(every: list[Scope]) -> str:
    if not any(backward_calls(scope) for scope in every):
        return "it makes no backward pass"
    return "no step reads a number from the device: there is nothing to wait for"


RULE = SyncFreeStepRule()

__all__ = ["RULE", "SyncFreeStepRule"]
