"""compiled-model: `model.compile()`, in place, where the training step calls a model that nobody compiles."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import dotted
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import FunctionNode, Source

from .fitting import DoesNotApply, after
from .scopes import Scope, scopes
from .step_sites import Step, is_module, the_step
from .trainer_sites import Arguments, told, trainer_arguments

_OTHERS = frozenset({"torch.nn.DataParallel", "torch.jit.script", "torch.jit.trace", "torch.cuda.CUDAGraph"})
"""What an in-place compilation does not go together with."""

_WHY = "what lies between matrix products becomes a few fused kernels, forward and backward"


class CompiledModelRule:
    id = "compiled-model"
    title = "Compile the model in place"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/compiled-model.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        every = scopes(source)
        _require_eager(every)
        if (arguments := trainer_arguments(source)) is not None:
            yield self._of_trainer(source, arguments)
            return
        step = the_step(source, every)
        _require_unwritten(every)
        edit = Edit()
        if step.model.startswith("self."):
            _compile_attribute(source, every, step, edit)
        else:
            _compile_name(source, every, step.at, step.model, step, edit)
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"the place where {step.model} is made can't be edited faithfully")
        yield Idea(
            self.id,
            f"compile {step.model} in place",
            _WHY,
            self.claimed_class,
            patch,
        )

    def _of_trainer(self, source: Source, arguments: Arguments) -> Idea:
        if chosen := arguments.says(
            "torch_compile", "torch_compile_backend", "torch_compile_mode", "deepspeed", "fsdp"
        ):
            raise DoesNotApply(f"line {arguments.call.lineno} says {chosen} already")
        patch = told(source, arguments, {"torch_compile": "True"})
        return Idea(self.id, "have the Trainer compile its model", _WHY, self.claimed_class, patch)


def _require_eager(every: list[Scope]) -> None:
    for scope in every:
        for call in scope.calls():
            name = scope.names.resolve(call.func) or ""
            compiles = isinstance(call.func, ast.Attribute) and call.func.attr == "compile" and name != "re.compile"
            if compiles or name == "torch.compile":
                raise DoesNotApply(f"line {call.lineno} compiles already")
            if name in _OTHERS:
                raise DoesNotApply(f"line {call.lineno} makes a {name}, which is not compiled in place")
        decorators = (one for node in [scope.node] if isinstance(node, FunctionNode) for one in node.decorator_list)
        for one in decorators:
            called = one.func if isinstance(one, ast.Call) else one
            if (scope.names.resolve(called) or "") == "torch.compile":
                raise DoesNotApply(f"line {one.lineno} compiles already")


def _require_unwritten(every: list[Scope]) -> None:
    """A queue that a model writes rows of after it was multiplied: of such a one compiled code keeps no copy for its
    backward pass, whether the model makes one or not.
    """
    kept = {
        f"self.{call.args[0].value}"
        for scope in every
        for call in scope.calls()
        if dotted(call.func) == "self.register_buffer" and call.args and isinstance(call.args[0], ast.Constant)
    }
    for scope in (one for one in every if one.owner is not None and is_module(one.owner)):
        if getattr(scope.node, "name", "") != "__init__" and _trained_through(every, scope):
            for node in scope.nodes:
                of = dotted(node.value) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) else None
                if of in kept:
                    raise DoesNotApply(f"line {node.lineno} writes into {of} as the model is called")  # pyright: ignore[reportAttributeAccessIssue]


def _trained_through(every: list[Scope], scope: Scope) -> bool:
    """`forward`, and the methods of its class that it calls."""
    name = getattr(scope.node, "name", "")
    forward = [one for one in every if one.owner is scope.owner and getattr(one.node, "name", "") == "forward"]
    return name == "forward" or any(dotted(call.func) == f"self.{name}" for one in forward for call in one.calls())


def _compile_attribute(source: Source, every: list[Scope], step: Step, edit: Edit) -> None:
    """After the only statement of its class that sets it."""
    found = [
        (scope, node)
        for scope in every
        if scope.owner is not None and scope.owner is step.at.owner
        for node in scope.nodes
        if isinstance(node, ast.Assign) and any(dotted(target) == step.model for target in node.targets)
    ]
    if len(found) != 1:
        where = f"{len(found)} statements of its class" if found else "no statement of its class"
        raise DoesNotApply(f"{step.model} is set by {where}: where it could be compiled can't be told")
    (scope, node) = found[0]
    after(source, edit, scope.block(node), node, f"{step.model}.compile()")


def _compile_name(source: Source, every: list[Scope], scope: Scope, model: str, step: Step, edit: Edit) -> None:
    """Before the loop that calls it, where it is made; or before the call of the function that it is given to."""
    if "." in model:
        raise DoesNotApply(f"where {model} is made can't be told")
    if not isinstance(scope.node, ast.Module) and model in {arg.arg for arg in scope.node.args.args}:
        caller, call = _only_scope(every, scope)
        given = _given(scope.node, call, model)
        if given is None or not caller.stores(given):
            raise DoesNotApply(f"what {scope.node.name} is given as {model} (line {call.lineno}) is made elsewhere")
        _before(source, caller, given, call, edit)
        return
    if scope.stores(model):
        call = next(one for one in scope.calls() if dotted(one.func) == model)
        _before(source, scope, model, step.backward if scope is step.scope else call, edit)
        return
    top = every[0]
    if not top.stores(model):
        raise DoesNotApply(f"where {model} is made can't be told")
    made = top.statement(top.stores(model)[-1])
    after(source, edit, top.block(made), made, f"{model}.compile()")


def _only_scope(every: list[Scope], function: Scope) -> tuple[Scope, ast.Call]:
    """The first call of a function, where all its calls are in one scope."""
    name = getattr(function.node, "name", "")
    calls = [(scope, call) for scope in every for call in scope.calls() if dotted(call.func) == name]
    if len({id(scope) for scope, _ in calls}) != 1:
        raise DoesNotApply(f"{name} is called in {len(calls) or 'no'} places: where its model is made can't be told")
    return calls[0]


def _given(function: FunctionNode, call: ast.Call, name: str) -> str | None:
    """The variable that a call gives as the parameter."""
    place = [arg.arg for arg in function.args.args].index(name)
    values = [item.value for item in call.keywords if item.arg == name] or call.args[place : place + 1]
    plain = not any(isinstance(arg, ast.Starred) for arg in call.args)
    return values[0].id if values and plain and isinstance(values[0], ast.Name) else None


def _before(source: Source, scope: Scope, model: str, use: ast.AST, edit: Edit) -> None:
    """The outermost loop around a use, or the use's own statement."""
    place = scope.outermost_loop(use) or scope.statement(use)
    later = [name.lineno for name in scope.stores(model) if name.lineno >= place.lineno]
    if later:
        raise DoesNotApply(f"{model} is set again at line {later[0]}, in its loop or later")
    edit.before(source, place, [f"{model}.compile()"])


RULE = CompiledModelRule()

__all__ = ["RULE", "CompiledModelRule"]
