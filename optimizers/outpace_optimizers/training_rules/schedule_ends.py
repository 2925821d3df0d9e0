"""Whether a script's learning rate reaches zero by the end of its run."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import FunctionNode, Source

from .fitting import DoesNotApply
from .progress import Level
from .rate_values import Rates, Unknown
from .scopes import Scope

_TORCH = "torch.optim.lr_scheduler."
_ENDLESS = frozenset({
    "StepLR", "MultiStepLR", "ExponentialLR", "ConstantLR", "ReduceLROnPlateau", "CosineAnnealingWarmRestarts",
    "CyclicLR",
})  # fmt: skip
"""They end above zero, whatever they are given."""
_LENGTH = {"CosineAnnealingLR": ("T_max", 1), "LinearLR": ("total_iters", 3), "PolynomialLR": ("total_iters", 1)}
"""What says in how many steps they end, by its name and place."""
_LAST = {"CosineAnnealingLR": ("eta_min", 2, 0.0), "LinearLR": ("end_factor", 2, 1.0)}
"""What says where they end, by its name, its place and what it is by default."""
_SAME_EVERYWHERE = 64
"""Places of a run at which a schedule is reckoned."""
_INNER = 50.0
"""Steps of an inner loop, a made-up number."""
_ZERO = 0.03
"""Of the highest rate: what is below has no more to give. In a short run the last two steps of a linear decay are
above."""
_LENGTHS = (317.0, 1000.0)
"""Made-up numbers of steps, where a run is told its own: a schedule has to follow."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A statement that sets rates, or the call that makes a scheduler."""

    scope: Scope
    node: ast.Assign | ast.Call


def settings(every: list[Scope]) -> Iterator[Setting]:
    for scope in every:
        for call in scope.calls():
            name = scope.names.resolve(call.func) or ""
            if name.startswith(_TORCH) or (name.startswith("transformers.") and "schedule" in name):
                yield Setting(scope, call)
        for node in scope.nodes:
            if isinstance(node, ast.Assign) and any(_is_rate(target) for target in node.targets):
                yield Setting(scope, node)


def _is_rate(target: ast.expr) -> bool:
    return isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and target.slice.value == "lr"


def reaches_zero(source: Source, setting: Setting, levels: list[Level]) -> bool:
    """Raises DoesNotApply where that can't be told."""
    try:
        return _reaches(source, setting, levels)
    except Unknown as error:
        raise DoesNotApply(
            f"whether the rate that line {setting.node.lineno} sets reaches zero can't be told"
        ) from error


def _reaches(source: Source, setting: Setting, levels: list[Level]) -> bool:
    if isinstance(setting.node, ast.Assign):
        return all(_falls(source, setting.scope, setting.node.value, trial) for trial in _trials(source, levels))
    name = (setting.scope.names.resolve(setting.node.func) or "").rpartition(".")[2]
    if name in _ENDLESS:
        return False
    if name == "LambdaLR":
        return all(_lambda_falls(source, setting, trial) for trial in _trials(source, levels))
    if name in _LENGTH:
        given, place = _LENGTH[name]
        return _ends_low(source, setting, name) and _as_long(_given(setting.node, given, place), setting, levels)
    if name == "OneCycleLR":
        total = _given(setting.node, "total_steps", 2)
        return total is None or _as_long(total, setting, levels)
    if name in ("get_linear_schedule_with_warmup", "get_cosine_schedule_with_warmup"):
        return _as_long(_given(setting.node, "num_training_steps", 2), setting, levels)
    raise Unknown


@dataclass(frozen=True, slots=True)
class _Trial:
    """How often each loop turns, the outermost first."""

    levels: list[Level]
    counts: list[float]

    def given(self, done: float) -> dict[str, float]:
        """What the loops' numbers are when so much of the run is over."""
        found: dict[str, float] = {}
        share = done
        for level, count in zip(self.levels, self.counts, strict=True):
            turn = min(count - 1, float(int(share * count)))
            share = share * count - turn
            found |= {_plain(level.count): count, **_numbers(level.index, turn)}
        return found


def _plain(text: str) -> str:
    """As `ast.unparse` spells it."""
    return ast.unparse(ast.parse(text, mode="eval"))


def _numbers(index: str, turn: float) -> dict[str, float]:
    """Of the index itself, and of `step` in `(step - 1)`."""
    node = ast.parse(index, mode="eval").body
    found = {ast.unparse(node): turn}
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name) and isinstance(node.right, ast.Constant):
        found[node.left.id] = turn + float(node.right.value)  # pyright: ignore[reportArgumentType]
    return found


def _trials(source: Source, levels: list[Level]) -> Iterator[_Trial]:
    """As the text has it, and where that is only what a run is told by default, with other lengths as well."""
    outer, *inner = levels
    usual = _usual(source, outer)
    told = _LENGTHS if "." in outer.count else ()
    if usual is None and not told:
        raise Unknown
    for length in (*([] if usual is None else [usual]), *told):
        yield _Trial(levels, [length, *([_INNER] * len(inner))])


def _usual(source: Source, level: Level) -> float | None:
    if level.count.startswith("len("):
        return _INNER
    try:
        return float(Rates(source, {}).value(ast.parse(level.count, mode="eval").body, level.scope))
    except Unknown:
        return None


def _falls(source: Source, scope: Scope, node: ast.expr, trial: _Trial) -> bool:
    found: list[float] = []
    for place in range(_SAME_EVERYWHERE + 1):
        done = min(place / _SAME_EVERYWHERE, 1 - 1e-9)
        found.append(float(Rates(source, trial.given(done)).value(node, scope)))
    return _low(found, math.prod(trial.counts))


def _low(found: list[float], steps: float) -> bool:
    """Near zero. What is far below has another length than the run."""
    return abs(found[-1]) <= max(_ZERO, 2 / steps) * max(found)


def _lambda_falls(source: Source, setting: Setting, trial: _Trial) -> bool:
    """By whole turns of the outermost loop, or by steps: which of them its scheduler counts is not asked."""
    assert isinstance(setting.node, ast.Call)
    function = _given(setting.node, "lr_lambda", 1)
    if isinstance(function, ast.Name):
        nodes = [node for node in ast.walk(source.tree) if isinstance(node, FunctionNode) and node.name == function.id]
        function = nodes[0] if len(nodes) == 1 else None
    if not isinstance(function, (ast.Lambda, ast.FunctionDef)):
        raise Unknown
    rates = Rates(source, trial.given(0.0))

    def falls(length: float) -> bool:
        places = [int((length - 1) * place / _SAME_EVERYWHERE) for place in range(_SAME_EVERYWHERE + 1)]
        found = [float(rates.result(function, [place], {}, setting.scope)) for place in places]
        return _low(found, length)

    return falls(trial.counts[0]) or falls(math.prod(trial.counts))


def _ends_low(source: Source, setting: Setting, name: str) -> bool:
    if name not in _LAST:
        return True
    assert isinstance(setting.node, ast.Call)
    given, place, usual = _LAST[name]
    node = _given(setting.node, given, place)
    return (usual if node is None else Rates(source, {}).value(node, setting.scope)) == 0


def _as_long(node: ast.expr | None, setting: Setting, levels: list[Level]) -> bool:
    """Whether it is spelled as the number of steps, or of what the scheduler counts."""
    if node is None:
        raise Unknown
    counts = [_plain(level.count) for level in levels]
    made = [one.value for one in setting.scope.nodes if isinstance(one, ast.Assign) and _names(one, node)]
    texts = {ast.unparse(node), *(ast.unparse(one) for one in made)}
    if texts & {*counts, " * ".join(counts), " * ".join(reversed(counts))}:
        return True
    if isinstance(node, ast.Constant):
        return False
    raise Unknown


def _names(assign: ast.Assign, node: ast.expr) -> bool:
    return dotted(node) is not None and any(dotted(target) == dotted(node) for target in assign.targets)


def _given(call: ast.Call, name: str, place: int) -> ast.expr | None:
    named = [item.value for item in call.keywords if item.arg == name]
    return (named or call.args[place : place + 1] or [None])[0]
