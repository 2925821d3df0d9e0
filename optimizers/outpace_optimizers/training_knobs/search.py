"""Which numbers to try next, by single runs on one seed, which prove nothing: the best is a change for a campaign."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_audit.records import Idea, Patch
from outpace_audit.seeds import draw
from outpace_optimizers.records import TUNED_RULE
from outpace_optimizers.source import base_hash, parse
from outpace_optimizers.training.campaign import SEED_BITS, Campaign
from outpace_optimizers.training.change import NOTHING, Change
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.files import matches, walk
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.training_rules.changes import Proposal
from outpace_optimizers.training_rules.fitting import DoesNotApply
from outpace_optimizers.tuner.search import optuna_module

from .finding import Knob, knobs, written

FILE = "training-tuning.json"
STARTUP = 6
"""Settings from anywhere before TPE has enough to tell good from bad by."""
FACTORS = (3.0, 1 / 3)
"""Of all rates, before anything else: a rate that nobody has tuned is off by that much."""
ASKED = 4
"""Times as often as there are settings to try it is asked for one: it may name one twice."""
FINALISTS = 3
"""That are run again, so that the one seed of the search does not choose."""
SEEDS = 3
"""Of a finalist, that of the search among them."""
SLOWER = 1.4
"""Times as long as without: a campaign refuses 1.5."""

SETTINGS = 16
"""Usually: about as many runs as the campaign that follows."""
FEWEST_SETTINGS = 4
"""The present one, those of FACTORS, and one that was chosen."""

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tunable:
    """The file, its text as it is, and the knobs in it."""

    path: str
    text: str
    knobs: tuple[Knob, ...]

    def change(self, values: Values) -> Change:
        return Change({self.path: written(self.text, dict(zip(self.knobs, values, strict=True))).encode()})

    @property
    def current(self) -> Values:
        return tuple(knob.value for knob in self.knobs)

    def said(self, values: Values) -> str:
        """`lr 0.001 -> 0.004, weight_decay 0.1 -> 0.02`."""
        pairs = zip(self.knobs, values, strict=True)
        return ", ".join(
            f"{knob.name} {knob.spelled(knob.value)} -> {knob.spelled(value)}"
            for knob, value in pairs
            if knob.spelled(value) != knob.spelled(knob.value)
        )

    def proposal(self, values: Values) -> Proposal:
        change = self.change(values)
        patch = Patch(self.path, base_hash(self.text), (change.files[self.path] or b"").decode(), ())
        idea = Idea(
            TUNED_RULE,
            self.said(values),
            "numbers that nobody has tuned for this budget are seldom the best",
            "statistical",
            patch,
        )
        return Proposal(idea, self.path, change)


def tunable(root: Path, target: TrainingTarget) -> Tunable:
    """The first file that may change and has knobs. Raises TrainingError."""
    reasons: list[str] = []
    for path in sorted(walk(root)):
        if path.endswith(".py") and matches(path, target.may_change):
            text = (root / path).read_bytes().decode(errors="replace")
            try:
                return Tunable(path, text, knobs(parse(path, text), target))
            except DoesNotApply as reason:
                reasons.append(f"{path}: {reason}")
    raise TrainingError(f"nothing to tune: {'; '.join(reasons) or 'no Python file of may-change'}")


class Tuning:
    """`looks`: metric by setting and seed, None where a run failed; kept in a file, from which a later one goes on."""

    def __init__(self, campaign: Campaign, tunable: Tunable, state: Path) -> None:
        """Raises EnvironmentMissing without optuna."""
        self._campaign, self._tunable = campaign, tunable
        self._optuna: Any = optuna_module()
        self._file = state / FILE
        self._key = hashlib.sha256(f"{campaign.baseline}\0{tunable}".encode()).hexdigest()
        kept = self._kept()
        self._root: str = kept.get("root") or secrets.token_hex(32)
        self.looks: dict[tuple[Values, int], float | None] = {
            (tuple(values), seed): metric for values, seed, metric in kept.get("looks", [])
        }
        self._usual_s: float = kept.get("seconds", 0.0)

    @property
    def tried(self) -> set[Values]:
        return {values for values, _ in self.looks}

    def best(self, trials: int) -> Values | None:
        """After so many settings, the present one among them; None where it stays the best. Raises TrainingError."""
        current = self._tunable.current
        if self._look(current, 0, "as it is") is None:
            raise TrainingError("the script as it is fails, so that nothing can be tuned: run its command by hand")
        tried = self._searched(trials)
        finalists = sorted((one for one in tried if self._worth(one, 1) is not None), key=self._first, reverse=True)
        finalists = list(dict.fromkeys([*finalists[:FINALISTS], current]))
        for number in range(1, SEEDS):
            for values in finalists:
                self._look(values, number, "once more" if values != current else "as it is, once more")
        means = {one: worth for one in finalists if (worth := self._worth(one, SEEDS)) is not None}
        found = max(means, key=lambda one: means[one], default=current)
        return None if found == current else found

    def _searched(self, trials: int) -> list[Values]:
        """Settings that differ, the present one first. A small space may have fewer."""
        study, tried = self._study(), [self._tunable.current]
        for _ in range(ASKED * trials):
            if len(tried) == trials:
                break
            trial, values = self._ask(study)
            metric = self._look(values, 0, f"setting {len(tried) + 1} of {trials}")
            tried += [values] if values not in tried else []
            failed = self._optuna.trial.TrialState.PRUNED if metric is None else None
            study.tell(trial, metric, state=failed)
        return tried

    def _first(self, values: Values) -> float:
        return self._worth(values, 1) or 0.0

    def _worth(self, values: Values, seeds: int) -> float | None:
        """The mean over seeds, more being better; None where a run failed."""
        found = [self.looks.get((values, self._seed(number))) for number in range(seeds)]
        metrics = [one for one in found if one is not None]
        return self._campaign.sign * math.fsum(metrics) / len(metrics) if len(metrics) == seeds else None

    def _seed(self, number: int) -> int:
        return draw(bytes.fromhex(self._root), "tuning", number) >> (256 - SEED_BITS)

    def _look(self, values: Values, number: int, what: str) -> float | None:
        seed = self._seed(number)
        if (values, seed) not in self.looks:
            current = values == self._tunable.current
            said = f"{what}: {self._tunable.said(values)}" if not current else what
            run = self._campaign.look(NOTHING if current else self._tunable.change(values), seed, said)
            self._usual_s = self._usual_s or run.outside_s
            self.looks[values, seed] = self._metric(run)
            self._keep()
        return self.looks[values, seed]

    def _metric(self, run: RunResult) -> float | None:
        finished = run.outcome == "finished" and run.value is not None and math.isfinite(run.value)
        return run.value if finished and run.outside_s <= SLOWER * self._usual_s + 1 else None

    def _study(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an option is marked as experimental
            sampler = self._optuna.samplers.TPESampler(
                seed=int(self._root[:7], 16), n_startup_trials=STARTUP, multivariate=True
            )
        direction = "maximize" if self._campaign.sign > 0 else "minimize"
        study = self._optuna.create_study(direction=direction, sampler=sampler)
        for factor in FACTORS:
            study.enqueue_trial({
                name: min(knob.high, max(knob.low, knob.value * (factor if knob.role == "rate" else 1)))
                for name, knob in self._named()
            })  # fmt: skip
        return study

    def _ask(self, study: Any) -> tuple[Any, Values]:
        trial = study.ask()
        found = [trial.suggest_float(name, knob.low, knob.high, log=True) for name, knob in self._named()]
        return trial, tuple(float(knob.spelled(one)) for knob, one in zip(self._tunable.knobs, found, strict=True))

    def _named(self) -> list[tuple[str, Knob]]:
        return [(f"{number} {knob.name}", knob) for number, knob in enumerate(self._tunable.knobs)]

    def _kept(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) and kept.get("key") == self._key else {}

    def _keep(self) -> None:
        looks: Sequence[Any] = [[list(values), seed, metric] for (values, seed), metric in self.looks.items()]
        text = json.dumps({"key": self._key, "root": self._root, "seconds": self._usual_s, "looks": looks})
        part = self._file.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(self._file)
