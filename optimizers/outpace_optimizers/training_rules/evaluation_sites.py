"""Where a script calls its model without training it, hands it to an evaluation, or writes its weights to disk."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import FunctionNode, Source

from .fitting import DoesNotApply
from .scopes import Scope
from .step_sites import Step, calls_it, is_module, modules

_NO_GRAD = frozenset({"torch.no_grad", "torch.inference_mode", "torch.set_grad_enabled"})
_DEEP = 4
"""Calls between the program's start and the training step that are followed."""
_SAVED = "save"
"""What functions that write a checkpoint have in their name: torch.save, save_file, save_checkpoint."""


@dataclass(frozen=True, eq=False)
class Site:
    """`statement` is what uses the weights of `model`, as it is spelled there."""

    scope: Scope
    statement: ast.stmt
    model: str


class _Finder:
    def __init__(self, source: Source, every: list[Scope], step: Step, after: int) -> None:
        self.source, self.every, self.step, self.after = source, every, step, after
        self.modules = modules(source) - {"self"}
        self.trains = _leading(source, every, step)
        self.inner = set(_called_within(step, every))

    def sites(self) -> Iterator[Site]:
        for scope in self.every:
            if self._training_itself(scope):
                continue
            for call in scope.calls():
                model = self._used(scope, call)
                if model is not None and self._elsewhere(scope, call):
                    yield Site(scope, self._whole(scope, call), model)

    def _training_itself(self, scope: Scope) -> bool:
        """What the step calls; models' own methods, and functions that give one thing at a time."""
        name = getattr(scope.node, "name", "")
        inside = scope is not self.step.scope and (scope is self.step.at or name in self.inner)
        gives = any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in scope.nodes)
        return inside or gives or (scope.owner is not None and is_module(scope.owner))

    def _used(self, scope: Scope, call: ast.Call) -> str | None:
        name = dotted(call.func) or ""
        if self._is_model(name) and name not in self.source.definitions:
            return name
        receiver, _, method = name.rpartition(".")
        if method == "state_dict" and self._is_model(receiver):
            return receiver if _saved(scope, call) else None
        given = [one for arg in call.args if (one := dotted(arg)) and self._is_model(one)]
        evaluates = self._from_elsewhere(scope, call) or self._no_grad(scope, call) is not None
        own = name.rpartition(".")[2][:1].islower() and name.split(".")[0] not in ("torch", "copy")
        return given[0] if given and evaluates and own and not self._changes(scope, call) else None

    def _is_model(self, name: str) -> bool:
        """Or the one that a wrapper of it holds."""
        return name.removesuffix(".module").removesuffix("._orig_mod").rpartition(".")[2] in self.modules

    def _from_elsewhere(self, scope: Scope, call: ast.Call) -> bool:
        """A function of another file of the project, or of a library that is not torch."""
        name = scope.names.resolve(call.func)
        return name is not None and name.split(".")[0] not in ("torch", "copy", "transformers", "accelerate")

    def _changes(self, scope: Scope, call: ast.Call) -> bool:
        """Whether a model is what the statement makes: `model = prepared(model)`."""
        statement = scope.statement(call)
        stored = [node for node in ast.walk(statement) if isinstance(node, (ast.Name, ast.Attribute))]
        return any(isinstance(node.ctx, ast.Store) and self._is_model(dotted(node) or "") for node in stored)

    def _elsewhere(self, scope: Scope, call: ast.Call) -> bool:
        """Not within the step, nor before it in the functions that lead to it."""
        if scope is self.step.scope:
            if call.lineno > self.after or self._now_and_then(scope, call):
                return True
            if self._no_grad(scope, call) is not None and scope.loop(self.step.backward) in list(scope.around(call)):
                raise DoesNotApply(f"line {call.lineno} calls the model without gradients within the step")
            return False
        lines = [one.lineno for one in scope.calls() if self._leads(one)]
        return not lines or call.lineno > min(lines)

    def _now_and_then(self, scope: Scope, call: ast.Call) -> bool:
        """In the loop that trains, and under a condition that the step is not under."""
        around = list(scope.around(call))
        inside = any(isinstance(node, (ast.For, ast.While)) and self._trains(node) for node in around)
        return inside and any(isinstance(node, ast.If) and not self._trains(node) for node in around)

    def _leads(self, call: ast.Call) -> bool:
        return any(calls_it(self.source, call, one) for one in self.trains)

    def _trains(self, node: ast.AST) -> bool:
        return any(
            one is self.step.backward or (isinstance(one, ast.Call) and self._leads(one)) for one in ast.walk(node)
        )

    def _no_grad(self, scope: Scope, call: ast.Call) -> ast.stmt | None:
        """The outermost `with` around the call that keeps no gradients; or else the decorated function."""
        blocks = [node for node in scope.around(call) if isinstance(node, ast.With)]
        found = [node for node in blocks if any(_names(scope, item.context_expr) for item in node.items)]
        if found:
            return found[-1]
        decorated = isinstance(scope.node, FunctionNode) and any(
            _names(scope, one) for one in scope.node.decorator_list
        )
        return scope.node if decorated and isinstance(scope.node, FunctionNode) else None

    def _whole(self, scope: Scope, call: ast.Call) -> ast.stmt:
        """The outermost `with` or loop around the call that does not train as well; or else its own statement."""
        without = self._no_grad(scope, call)
        if isinstance(without, ast.With) and not self._trains(without):
            return without
        found = scope.statement(call)
        for node in scope.around(call):
            if isinstance(node, (ast.For, ast.While)) and not self._trains(node):
                found = node
        if self._trains(found):
            raise DoesNotApply(f"line {call.lineno} has the model where its training step is a part of the statement")
        return found


def _names(scope: Scope, node: ast.expr) -> bool:
    return (scope.names.resolve(node.func if isinstance(node, ast.Call) else node) or "") in _NO_GRAD


def _saved(scope: Scope, call: ast.Call) -> bool:
    """Whether weights are written to disk: by the call that they are given to, or under the name that they get."""
    for node in scope.around(call):
        if isinstance(node, ast.Call) and _SAVED in (dotted(node.func) or "").rpartition(".")[2]:
            return True
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            calls = [one for one in scope.calls() if _SAVED in (dotted(one.func) or "").rpartition(".")[2]]
            given = {arg.id for one in calls for arg in one.args if isinstance(arg, ast.Name)}
            return bool(names & given)
    return False


def _leading(source: Source, every: list[Scope], step: Step) -> list[Scope]:
    """The functions that lead to the step, its own first."""
    found = [step.scope]
    for _ in range(_DEEP):
        found += [
            scope
            for scope in every
            if scope not in found and any(calls_it(source, call, one) for call in scope.calls() for one in found)
        ]
    return found


def _called_within(step: Step, every: list[Scope]) -> Iterator[str]:
    """Functions that the loss is made by."""
    first, last = step.first.lineno, step.backward.lineno
    calls = [call for call in step.scope.calls() if first <= call.lineno <= last]
    known = {name: scope for scope in every if (name := getattr(scope.node, "name", ""))}
    for _ in range(_DEEP):
        names = {(dotted(call.func) or "").rpartition(".")[2] for call in calls} & known.keys()
        yield from names
        calls = [call for name in names for call in known[name].calls()]


def evaluation_sites(source: Source, every: list[Scope], step: Step, after: int) -> list[Site]:
    """None lies in another; `after` is the line of the optimizer's step. Raises DoesNotApply."""
    found = {id(site.statement): site for site in _Finder(source, every, step, after).sites()}
    inner = {id(node) for site in found.values() for node in ast.walk(site.statement) if node is not site.statement}
    return [site for key, site in found.items() if key not in inner]
