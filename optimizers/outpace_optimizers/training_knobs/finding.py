"""Which numbers of a script are knobs, by what is done with them; the script's seed and the length of its run never."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import Source
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training_rules.fitting import DoesNotApply
from outpace_optimizers.training_rules.optimizer_sites import makes, own_optimizers
from outpace_optimizers.training_rules.schedule_ends import settings
from outpace_optimizers.training_rules.scopes import Scope, scopes
from outpace_optimizers.training_rules.trainer_sites import TRAINER_ARGUMENTS

from .numbers import Number, Numbers

_SEEDS = frozenset({
    "seed", "manual_seed", "manual_seed_all", "seed_everything", "seed_all", "set_seed", "default_rng", "Random",
    "RandomState", "PRNGKey", "Generator",
})  # fmt: skip
"""Whatever is given to them is no knob: a seed that a search has picked is luck."""
_TRAINER: Mapping[str | None, str] = {
    "learning_rate": "rate", "weight_decay": "decay", "warmup_steps": "schedule", "warmup_ratio": "schedule",
    "per_device_train_batch_size": "batch",
}  # fmt: skip
"""What its arguments are, by their names."""
_SMALL = 10.0
"""How far a rate or a decay is searched, up and down."""
_NEAR = 4.0
"""And a number of steps, or of rows."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A literal, characters `start` to `end` of the file; from `low` to `high`, by factors."""

    name: str
    role: str
    value: float
    whole: bool
    low: float
    high: float
    start: int
    end: int

    def spelled(self, value: float) -> str:
        return str(round(value)) if self.whole else f"{value:.3g}"


def knobs(source: Source, target: TrainingTarget) -> tuple[Knob, ...]:
    """Raises DoesNotApply where there are none."""
    every = scopes(source)
    numbers = Numbers(source, every)
    kept_out = {id(one.node) for one in _fixed(numbers, every)}
    given = {target.seed.flag, target.budget.given.flag, *(word.split("=")[0] for word in target.command)} - {""}
    found: dict[int, Knob] = {}
    for role, number in _roles(numbers, every, batches=target.budget.unit == "seconds"):
        if number.value > 0 and id(number.node) not in kept_out and number.flag not in given:
            found.setdefault(id(number.node), _knob(source, role, number))
    if not found:
        raise DoesNotApply("it writes no rate, decay, warm-up or batch of its own as a number that is used as one")
    return tuple(sorted(found.values(), key=lambda one: one.start))


def written(text: str, chosen: Mapping[Knob, float]) -> str:
    for knob, value in sorted(chosen.items(), key=lambda item: -item[0].start):
        if knob.spelled(value) != knob.spelled(knob.value):
            text = text[: knob.start] + knob.spelled(value) + text[knob.end :]
    return text


def _knob(source: Source, role: str, number: Number) -> Knob:
    whole = isinstance(number.node.value, int)
    factor = _NEAR if whole or role == "batch" else _SMALL
    low = max(1.0, number.value / factor) if whole else number.value / factor
    starts = [0]
    for line in source.lines:
        starts.append(starts[-1] + len(line))
    begin, end = source.start(number.node), source.end(number.node)
    start, stop = starts[begin[0] - 1] + begin[1], starts[end[0] - 1] + end[1]
    return Knob(number.name, role, number.value, whole, low, number.value * factor, start, stop)


def _roles(numbers: Numbers, every: list[Scope], *, batches: bool) -> Iterator[tuple[str, Number]]:
    own = own_optimizers(numbers.source)
    for scope in every:
        for call in scope.calls():
            for role, node in _of_optimizer(scope, call, own):
                if number := numbers.of(node, scope, role):
                    yield role, number
            for role, node in _of_trainer(scope, call):
                if (batches or role != "batch") and (number := numbers.of(node, scope, role)):
                    yield role, number
            for node in _rows(scope, call) if batches else ():
                if number := numbers.of(node, scope, "batch"):
                    yield "batch", number
    for setting in settings(every):
        for scope, node in _parts(setting.scope, setting.node, every):
            if number := numbers.of(node, scope, dotted(node) or ""):
                yield "schedule", number


def _of_optimizer(scope: Scope, call: ast.Call, own: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """A rate and a decay, of the call and of its groups."""
    if not makes(scope.names, call, own):
        return
    named = {item.arg: item.value for item in call.keywords}
    if "lr" in named or len(call.args) > 1:
        yield "rate", named.get("lr") or call.args[1]
    if "weight_decay" in named:
        yield "decay", named["weight_decay"]
    for node in scope.nodes:
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and key.value in ("lr", "weight_decay"):
                yield "rate" if key.value == "lr" else "decay", value


def _of_trainer(scope: Scope, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What the Trainer of transformers is told."""
    if (scope.names.resolve(call.func) or "") in TRAINER_ARGUMENTS:
        yield from ((_TRAINER[item.arg], item.value) for item in call.keywords if item.arg in _TRAINER)


def _rows(scope: Scope, call: ast.Call) -> Iterator[ast.expr]:
    """How many rows a batch has: of a loader, or drawn by hand."""
    name = scope.names.resolve(call.func) or ""
    named = {item.arg: item.value for item in call.keywords}
    if name == "torch.utils.data.DataLoader" and ("batch_size" in named or len(call.args) > 1):
        yield named.get("batch_size") or call.args[1]
    if name == "torch.randint":
        size = next((arg for arg in [*call.args, *named.values()] if isinstance(arg, ast.Tuple)), None)
        if size is not None and size.elts:
            yield size.elts[0]


def _parts(scope: Scope, node: ast.AST, every: list[Scope]) -> Iterator[tuple[Scope, ast.expr]]:
    """Named numbers that a rate is made of, here, in variables beside it and in the functions that it calls."""
    value = node.value if isinstance(node, ast.Assign) else node
    waiting: list[tuple[Scope, ast.AST]] = [(scope, value)]
    seen: set[str] = set()
    while waiting:
        place, tree = waiting.pop()
        for one in ast.walk(tree):
            name = dotted(one) if isinstance(one, (ast.Name, ast.Attribute)) else None
            if name is None or name in seen or not isinstance(one, (ast.Name, ast.Attribute)):
                continue
            seen.add(name)
            yield place, one
            waiting += [(inner, inner.node) for inner in every if getattr(inner.node, "name", "") == name]
            waiting += [
                (place, made.value) for made in place.nodes
                if isinstance(made, ast.Assign) and any(dotted(target) == name for target in made.targets)
            ]  # fmt: skip


def _fixed(numbers: Numbers, every: list[Scope]) -> Iterator[Number]:
    """What seeds are made of, and what says when a loop ends."""
    for scope in every:
        nodes: list[ast.AST] = []
        for call in scope.calls():
            if (dotted(call.func) or "").rpartition(".")[2] in _SEEDS | {"range"}:
                nodes += [*call.args, *(item.value for item in call.keywords)]
        for node in scope.nodes:
            if isinstance(node, ast.While):
                nodes.append(node.test)
            if isinstance(node, ast.If) and any(isinstance(one, ast.Break) for one in node.body):
                nodes.append(node.test)
        for tree in nodes:
            for one in ast.walk(tree):
                if isinstance(one, (ast.Name, ast.Attribute, ast.Constant)) and (number := numbers.of(one, scope, "")):
                    yield number
