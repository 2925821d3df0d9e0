"""rates-to-zero: learning rates that fall to zero with the last step of a run, where they end above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import dotted
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source

from .decay_text import definition
from .fitting import DoesNotApply, first_line
from .progress import Progress, progress
from .schedule_ends import Setting, reaches_zero, settings
from .scopes import Scope, names_in, scopes
from .step_ends import optimizer_steps
from .step_sites import the_step
from .trainer_sites import Arguments, told, trainer_arguments

_OTHERS = frozenset({"schedulefree", "CUDAGraph", "make_graphed_callables", "ReduceLROnPlateau"})
"""What has no rate of its own, or reads it elsewhere; a rate that waits for the metric has no end to reckon with."""

_TRAINER_ABOVE = frozenset({"constant", "constant_with_warmup"})
"""Schedules of a Trainer that end where they were. What it has by default, a linear one, ends at zero."""
_WHY = "steps of a full rate up to the end leave the weights as far from a good place as a step is long"


class RatesToZeroRule:
    id = "rates-to-zero"
    title = "Let learning rates fall to zero by the last step"
    claimed_class: NumericsClass = "statistical"
    page = "docs/rules/rates-to-zero.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        if (arguments := trainer_arguments(source)) is not None:
            yield self._of_trainer(source, arguments)
            return
        every = scopes(source)
        step = the_step(source, every)
        ends = optimizer_steps(step)
        found = progress(source, every, step.scope, ends[-1])
        scheduled = _ends_above_zero(source, every, found)
        if closures := first_line(call for call in ends if "closure" in names_in(call)):
            raise DoesNotApply(f"line {closures} steps with a closure")
        name = step.scope.names.fresh("RatesToZero")
        edit = Edit(definitions={name: definition(name, scheduled, found.call is not None)})
        for call in ends:
            statement = step.scope.statement(call)
            edit.wrap(source, statement, statement, f"with {name}({found.done}, {_optimizer(call)}):")
        _number(source, found, edit)
        if found.caller is not None and found.call is not None:
            place = found.caller.statement(found.call)
            edit.before(source, place, [f"{name}.part({found.before}, {found.width})"])
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"the step at line {ends[-1].lineno} can't be edited faithfully")
        yield Idea(
            self.id,
            "let the learning rates fall to zero by the last step" + ("" if scheduled else ", after a short warm-up"),
            _WHY,
            self.claimed_class,
            patch,
        )

    def _of_trainer(self, source: Source, arguments: Arguments) -> Idea:
        named = arguments.constant("lr_scheduler_type")
        if named not in _TRAINER_ABOVE:
            kind = "a linear" if named is None else "another"
            raise DoesNotApply(f"line {arguments.call.lineno} has {kind} schedule, and no constant one by its name")
        patch = told(source, arguments, {"lr_scheduler_type": '"linear"'})
        return Idea(self.id, "let the learning rate fall to zero by the last step", _WHY, self.claimed_class, patch)


def _ends_above_zero(source: Source, every: list[Scope], found: Progress) -> bool:
    """Whether there is a schedule; raises DoesNotApply where it ends at zero already."""
    attributes = {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    if others := _OTHERS & (source.words | attributes | set(found.levels and found.levels[0].scope.names.table)):
        raise DoesNotApply(f"{min(others)} goes by other rates than those of a schedule")
    set_ = [one for one in settings(every) if not _starts(one, found)]
    for one in set_:
        if reaches_zero(source, one, found.every):
            raise DoesNotApply(f"the rate that line {one.node.lineno} sets falls to zero already")
    return bool(set_)


def _starts(setting: Setting, found: Progress) -> bool:
    """A rate that is set above the loop that trains: a start."""
    first = found.every[0]
    return (
        isinstance(setting.node, ast.Assign)
        and setting.scope is first.scope
        and setting.node.lineno < first.loop.lineno
    )


def _optimizer(call: ast.Call) -> str:
    """`optimizer.step()` or `scaler.step(optimizer)`."""
    assert isinstance(call.func, ast.Attribute)
    found = dotted(call.args[0]) if call.args else dotted(call.func.value)
    if found is None:
        raise DoesNotApply(f"what steps at line {call.lineno} has no name")
    return found


def _number(source: Source, found: Progress, edit: Edit) -> None:
    """Loops whose turns nobody counts are enumerated."""
    for level in found.every:
        if level.numbered is not None:
            target = source.segment(level.numbered.target)
            several = isinstance(level.numbered.target, ast.Tuple) and not target.startswith("(")
            edit.expression(source, level.numbered.target, f"{level.index}, {f'({target})' if several else target}")
            edit.expression(source, level.numbered.iter, f"enumerate({source.segment(level.numbered.iter)})")


RULE = RatesToZeroRule()

__all__ = ["RULE", "RatesToZeroRule"]
