"""Which settings to try next: optuna's TPE between steps from the best one so far. Seeded, told all that is known."""

from __future__ import annotations

import importlib
import math
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outpace_audit.errors import EnvironmentMissing
from outpace_audit.records import QuickLook
from outpace_optimizers.tuner.knobs import Knob, Values

Measure = Callable[[Sequence[Values]], Sequence[QuickLook]]

STARTUP = 8
"""Settings from anywhere before TPE has enough to tell good from bad by."""
FACTORS = (4, 16)
"""All sizes so many times as large, before anything else: poor sizes are mostly small ones."""
BETTER = 1.01
"""Less is the noise of a first look."""
_ASKED = 16
"""How often in a row the sampler may name what is known before another setting is drawn."""


@dataclass(frozen=True, slots=True)
class Limits:
    variants: int = 40
    """At most, what was known before included."""
    dry: int = 16
    """In a row that bring nothing better before it ends."""
    batch: int = 4
    """Settings that are measured side by side."""


class Search:
    """Over the settings of `knobs`. `looks` has every one that was tried, in the order of trying."""

    def __init__(self, knobs: Sequence[Knob], known: Mapping[Values, QuickLook], seed: int = 0) -> None:
        """Raises EnvironmentMissing without optuna."""
        self._knobs = knobs
        self._optuna = optuna_module()
        self._random = random.Random(seed)
        self.current: Values = tuple(knob.value for knob in knobs)
        self.size = math.prod(len(knob.choices) for knob in knobs)
        self.looks: dict[Values, QuickLook] = {self.current: QuickLook(ratio=1.0), **known}
        self._study = self._new_study(seed)
        for values, look in self.looks.items():
            self._study.add_trial(self._as_trial(values, look))
        self._planned = [self._scaled(factor) for factor in FACTORS]

    def run(self, measure: Measure, stopped: Callable[[], str], limits: Limits) -> str:
        """Why it ended. `stopped`: why the whole run is over, or nothing."""
        while True:
            tried = len(self.looks)
            if tried >= self.size:
                return f"all {self.size} settings were tried"
            if tried >= limits.variants:
                return f"{tried} of {self.size} settings were tried"
            if self._dry() >= limits.dry:
                return f"{tried} of {self.size} settings were tried, the last {self._dry()} brought nothing better"
            if reason := stopped():
                return f"{tried} of {self.size} settings were tried: {reason}"
            wanted = min(limits.batch, limits.variants - tried, self.size - tried)
            self._measure_next(measure, wanted)

    def ranked(self, at_least: float) -> list[Values]:
        """The settings that seem that many times as fast, the best first."""
        ratios = {values: look.ratio for values, look in self.looks.items() if look.ratio is not None}
        good = [values for values, ratio in ratios.items() if ratio >= at_least and values != self.current]
        return sorted(good, key=lambda values: -ratios[values])

    def _measure_next(self, measure: Measure, wanted: int) -> None:
        asked: dict[Values, Any] = {}
        while len(asked) < wanted:
            trial, values = self._ask(asked)
            asked[values] = trial
        for (values, trial), look in zip(asked.items(), measure(list(asked)), strict=True):
            self.looks[values] = look
            self._tell(trial, look)

    def _ask(self, asked: Mapping[Values, Any]) -> tuple[Any, Values]:
        """One that is neither known nor asked for already."""
        for attempt in range(_ASKED + 1):
            planned = self._next_planned(asked) if attempt < _ASKED else self._unseen(asked)
            if planned is not None:
                self._study.enqueue_trial(self._places(planned))
            trial = self._study.ask()
            values = tuple(
                knob.choices[trial.suggest_int(name, 0, len(knob.choices) - 1)] for name, knob in self._named()
            )
            if values not in self.looks and values not in asked:
                return trial, values
            self._tell(trial, self.looks.get(values, QuickLook("asked for twice")))
        raise AssertionError("what was enqueued is unseen")

    def _next_planned(self, asked: Mapping[Values, Any]) -> Values | None:
        """What is planned, then every second time a step from the best; None where the sampler is to say."""
        while self._planned:
            values = self._planned.pop(0)
            if values not in self.looks and values not in asked:
                return values
        tried = len(self.looks) + len(asked)
        return self._step(asked) if tried >= STARTUP // 2 and tried % 2 else None

    def _step(self, asked: Mapping[Values, Any]) -> Values | None:
        """A setting that differs from one of the best in one knob, by one step."""
        for best in self.ranked(0.0)[:3]:
            around = [values for values in self._around(best) if values not in self.looks and values not in asked]
            if around:
                return self._random.choice(around)
        return None

    def _around(self, values: Values) -> list[Values]:
        found: list[Values] = []
        for i, knob in enumerate(self._knobs):
            place = knob.choices.index(values[i])
            beside = [other for other in (place - 1, place + 1) if 0 <= other < len(knob.choices)]
            found += [(*values[:i], knob.choices[other], *values[i + 1 :]) for other in beside]
        return found

    def _scaled(self, factor: int) -> Values:
        """Sizes nearest to so many times the present ones; warps and stages as they are."""
        return tuple(
            min(knob.choices, key=lambda choice: abs(choice - knob.value * factor)) if knob.is_size else knob.value
            for knob in self._knobs
        )

    def _unseen(self, asked: Mapping[Values, Any]) -> Values:
        while True:
            values = tuple(self._random.choice(knob.choices) for knob in self._knobs)
            if values not in self.looks and values not in asked:
                return values

    def _dry(self) -> int:
        """How many were tried since something better came."""
        best, dry = 0.0, 0
        for look in self.looks.values():
            better = look.ratio is not None and look.ratio > best * BETTER
            best, dry = (look.ratio or best, 0) if better else (best, dry + 1)
        return dry

    def _named(self) -> list[tuple[str, Knob]]:
        return [(f"{i} {knob.name}", knob) for i, knob in enumerate(self._knobs)]

    def _places(self, values: Values) -> dict[str, int]:
        return {name: knob.choices.index(value) for (name, knob), value in zip(self._named(), values, strict=True)}

    def _new_study(self, seed: int) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two options are marked as experimental
            sampler = self._optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=STARTUP, multivariate=True, constant_liar=True
            )
        return self._optuna.create_study(direction="maximize", sampler=sampler)

    def _as_trial(self, values: Values, look: QuickLook) -> Any:
        ends = {
            name: self._optuna.distributions.IntDistribution(0, len(knob.choices) - 1) for name, knob in self._named()
        }
        state = self._optuna.trial.TrialState
        failed = look.ratio is None
        return self._optuna.trial.create_trial(
            state=state.PRUNED if failed else state.COMPLETE,
            value=None if look.ratio is None else math.log(look.ratio),
            params=self._places(values),
            distributions=ends,
        )

    def _tell(self, trial: Any, look: QuickLook) -> None:
        """A failure counts as worse than all that ran."""
        if look.ratio is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, math.log(look.ratio))


def optuna_module() -> Any:
    """Raises EnvironmentMissing."""
    try:
        optuna: Any = importlib.import_module("optuna")
    except ImportError as error:
        raise EnvironmentMissing(f"optuna is not installed ({error}): pip install 'outpace[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
