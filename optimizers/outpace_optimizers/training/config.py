"""A training target: `[tool.outpace.training]` of the pyproject.toml at the project's root, read strictly."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeAlias

import tomllib

from outpace_optimizers.training.files import matches
from outpace_optimizers.training.reading import Reading, TrainingError, Undescribed
from outpace_optimizers.workspace import Workspace

Direction: TypeAlias = Literal["lower", "higher"]
TABLE = "[tool.outpace.training]"
_KEYS = (
    "command", "metric", "direction", "budget", "seed", "may-change", "must-not-change", "time", "time-out",
    "evaluation", "effect", "runs", "environment", "model", "validation", "loss", "short",
    "margin",
)  # fmt: skip
FEWEST_RUNS = 3
"""Two of each would leave two degrees of freedom, and one run that went astray decides."""
MOST_RUNS = 1000
TOLERANCE = 1e-3
"""Relative difference that a metric may have from its recomputed value: printed with four digits or so."""


@dataclass(frozen=True, slots=True)
class Given:
    """How a run is told a number: by a flag of its command, an environment variable, or not at all."""

    flag: str = ""
    variable: str = ""

    def words(self, number: float) -> tuple[str, ...]:
        return (self.flag, f"{number:g}" if isinstance(number, float) else str(number)) if self.flag else ()

    def environ(self, number: float) -> dict[str, str]:
        return {self.variable: f"{number:g}" if isinstance(number, float) else str(number)} if self.variable else {}


@dataclass(frozen=True, slots=True)
class Budget:
    """`amount` steps, or seconds of training by the script's own clock."""

    unit: Literal["steps", "seconds"]
    amount: float
    given: Given

    def number(self) -> float:
        """As the script is told it."""
        return int(self.amount) if self.unit == "steps" else self.amount

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The metric of a checkpoint, a path below the root, by a command outside the training script."""

    command: tuple[str, ...]
    checkpoint: str
    metric: Reading
    tolerance: float


@dataclass(frozen=True, slots=True)
class TrainingTarget:
    """`time` reads the seconds of training that the script claims. `time_out_s` None: by the baseline's first runs.

    `effect`: the smallest change of the metric worth finding, in its own units. `runs`: of each side, in screening and
    in confirmation.
    """

    command: tuple[str, ...]
    metric: Reading
    direction: Direction
    budget: Budget
    seed: Given
    may_change: tuple[str, ...]
    must_not_change: tuple[str, ...]
    time: Reading | None = None
    time_out_s: float | None = None
    evaluation: Evaluation | None = None
    effect: float | None = None
    runs: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    model: str = ""
    """`file.py:function`, which gives a checkpoint's losses: see probe.py."""
    validation: tuple[str, ...] = ()
    """Patterns of the files that a run evaluates on and must not learn from. They are in `must_not_change` too."""
    loss: Reading | None = None
    short: Budget | None = None
    margin: float | None = None
    """For faster steps: the loss that is printed as it trains, how short runs are told to be, and by how much the mean
    of their later losses may differ. None: the metric, the budget, the baseline's spread."""

    def gain(self, before: float, after: float) -> float:
        """How much better `after` is than `before`; negative if it is worse."""
        return before - after if self.direction == "lower" else after - before


def read_target(workspace: Workspace) -> TrainingTarget:
    """Raises TrainingError, one line that names the file, the key and what to write."""
    path = workspace.root / "pyproject.toml"
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Undescribed(f"{path}: no such file: describe the training run in its {TABLE}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: {error}: correct it") from error
    for key in ("tool", "outpace", "training"):
        table = table.get(key) if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping):
        raise Undescribed(f"{path}: no {TABLE}: name command, metric, direction, budget, seed and may-change there")
    return _Table(table, f"{path}: {TABLE}").target()


class _Table:
    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self._table, self._where = table, where

    def target(self) -> TrainingTarget:
        self._only(_KEYS)
        validation = self._patterns("validation", may_be_empty=True) if "validation" in self._table else ()
        protected = self._patterns("must-not-change", may_be_empty=True)
        return TrainingTarget(
            command=self._command("command"),
            metric=self._reading("metric"),
            direction=self._direction(),
            budget=self._budget(),
            seed=self._given("seed", needed=True),
            may_change=self._patterns("may-change"),
            must_not_change=(*protected, *(one for one in validation if one not in protected)),
            time=self._reading("time") if "time" in self._table else None,
            time_out_s=self._above_zero("time-out") if "time-out" in self._table else None,
            evaluation=self._evaluation() if "evaluation" in self._table else None,
            effect=self._above_zero("effect") if "effect" in self._table else None,
            runs=self._runs() if "runs" in self._table else None,
            environment=self._environment(),
            model=self._model(protected) if "model" in self._table else "",
            validation=validation,
            loss=self._reading("loss") if "loss" in self._table else None,
            short=self._budget("short") if "short" in self._table else None,
            margin=self._above_zero("margin") if "margin" in self._table else None,
        )

    def _fail(self, text: str) -> NoReturn:
        raise TrainingError(f"{self._where}: {text}")

    def _only(self, known: tuple[str, ...]) -> None:
        for key in self._table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                self._fail(
                    f"no key {key}; " + (f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}")
                )

    def _needed(self, key: str, example: str) -> Any:
        if key not in self._table:
            self._fail(f"{key} is missing: write {key} = {example}")
        return self._table[key]

    def _inner(self, key: str, example: str) -> _Table:
        value = self._needed(key, example)
        if not isinstance(value, Mapping):
            self._fail(f"{key} must be a table such as {example}, not {value!r}")
        return _Table(value, f"{self._where}: {key}")

    def _text(self, key: str, example: str) -> str:
        value = self._needed(key, example)
        if not isinstance(value, str) or not value.strip():
            self._fail(f"{key} must be a text such as {example}, not {value!r}")
        return value

    def _command(self, key: str) -> tuple[str, ...]:
        example = '"python train.py"'
        value = self._needed(key, example)
        if isinstance(value, list) and value and all(isinstance(word, str) and word for word in value):
            return tuple(value)
        try:
            words = shlex.split(self._text(key, example))
        except ValueError as error:
            self._fail(f"{key} {value!r}: {error}")
        return tuple(words)

    def _reading(self, key: str) -> Reading:
        table = self._inner(key, '{ json = "val_loss" }')
        table._only(("regex", "json", "tensorboard", "file", "step"))
        if len(table._table.keys() - {"file", "step"}) != 1:
            table._fail("name one of regex, json and tensorboard")
        file = table._place("file", '"out/log.jsonl"') if "file" in table._table else ""
        if file and (key != "metric" or "checkpoint" in self._table):
            table._fail("only the metric of a run is read from a file: print this one")
        if "tensorboard" in table._table:
            return Reading(tag=table._text("tensorboard", '"val/loss"'), file=file or ".")
        if "json" in table._table:
            counted = table._text("step", '"epoch"') if "step" in table._table else ""
            return Reading(key=table._text("json", '"val_loss"'), file=file, counted=counted)
        if "step" in table._table:
            table._fail("step names a key beside that of json: an expression has a group `step`")
        pattern = table._text("regex", r"'val_loss (\S+)'")
        try:
            regex = re.compile(pattern)
        except re.error as error:
            table._fail(f"regex {pattern!r} is none: {error}")
        if not regex.groups:
            table._fail(rf"regex {pattern!r} has no group for the number: write it as in 'val_loss (\S+)'")
        return Reading(regex=regex, file=file)

    def _place(self, key: str, example: str) -> str:
        value = self._text(key, example)
        if value.startswith("/") or ".." in value.split("/"):
            self._fail(f"{key} {value!r} leaves the project: write its path from the root")
        return value

    def _direction(self) -> Direction:
        value = self._needed("direction", '"lower"')
        if value not in ("lower", "higher"):
            self._fail(f'direction must be "lower" or "higher", whichever is better, not {value!r}')
        return value

    def _budget(self, key: str = "budget") -> Budget:
        table = self._inner(key, '{ steps = 500, flag = "--steps" }')
        table._only(("steps", "seconds", "flag", "environment"))
        if ("steps" in table._table) == ("seconds" in table._table):
            table._fail("name one of steps and seconds")
        unit: Literal["steps", "seconds"] = "steps" if "steps" in table._table else "seconds"
        amount = table._above_zero(unit)
        if unit == "steps" and amount != int(amount):
            table._fail(f"steps must be a whole number, not {amount!r}")
        if unit == "seconds" and "time" not in self._table:
            self._fail(
                'a budget of seconds needs time, what the script says it trained for: time = { json = "seconds" }'
            )
        return Budget(unit, amount, self._given(key, needed=False))

    def _given(self, key: str, *, needed: bool) -> Given:
        table = self._inner(key, '{ flag = "--seed" }')
        if key == "seed":
            table._only(("flag", "environment"))
        named = [name for name in ("flag", "environment") if name in table._table]
        if len(named) > 1 or (needed and not named):
            table._fail("name one of flag and environment")
        if not named:
            return Given()
        text = table._text(named[0], '"--seed"' if named[0] == "flag" else '"SEED"')
        return Given(flag=text) if named[0] == "flag" else Given(variable=text)

    def _patterns(self, key: str, *, may_be_empty: bool = False) -> tuple[str, ...]:
        value = self._needed(key, '["train.py", "model/**"]' if not may_be_empty else '["data/**", "evaluate.py"]')
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self._fail(f'{key} must be a list of patterns such as ["model/**"], not {value!r}')
        if not value and not may_be_empty:
            self._fail(f"{key} is empty: name the files that an edit may change")
        for pattern in value:
            if pattern.startswith("/") or ".." in pattern.split("/"):
                self._fail(f"{key}: {pattern!r} leaves the project: patterns are relative to its root")
        return tuple(value)

    def _above_zero(self, key: str) -> float:
        value = self._table.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e12:
            self._fail(f"{key} must be a number above 0, not {value!r}")
        return float(value)

    def _runs(self) -> int:
        value = self._table["runs"]
        if isinstance(value, bool) or not isinstance(value, int) or not FEWEST_RUNS <= value <= MOST_RUNS:
            self._fail(f"runs must be a whole number from {FEWEST_RUNS} to {MOST_RUNS}, not {value!r}")
        return value

    def _evaluation(self) -> Evaluation:
        table = self._inner(
            "evaluation", '{ command = "python evaluate.py out/model.pt", checkpoint = "out/model.pt" }'
        )
        table._only(("command", "checkpoint", "metric", "tolerance"))
        checkpoint = table._place("checkpoint", '"out/model.pt"')
        metric = table._reading("metric") if "metric" in table._table else self._reading("metric")
        if metric.file:
            table._fail('name what the command prints: metric = { json = "val_loss" }')
        tolerance = table._above_zero("tolerance") if "tolerance" in table._table else TOLERANCE
        return Evaluation(table._command("command"), checkpoint, metric, tolerance)

    def _model(self, protected: tuple[str, ...]) -> str:
        """A candidate that could edit it would answer for itself."""
        value = self._text("model", '"evaluate.py:load"')
        file, colon, name = value.rpartition(":")
        if not colon or not name.isidentifier() or not file.endswith(".py"):
            self._fail(f'model must be a file and a function in it, such as "evaluate.py:load", not {value!r}')
        if not matches(file, protected):
            self._fail(f"model: {file} must be one of must-not-change, so that no candidate answers for itself")
        if "evaluation" not in self._table:
            self._fail("model needs evaluation, which names the checkpoint that it loads")
        return value

    def _environment(self) -> dict[str, str]:
        value = self._table.get("environment", {})
        if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
            self._fail(f'environment must be a table of texts such as {{ DATA = "/data" }}, not {value!r}')
        return dict(value)
