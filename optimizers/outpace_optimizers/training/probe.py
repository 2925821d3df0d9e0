"""Asks a checkpoint's model for losses, to see what no honest model does. A program of its own: standard library alone.

Runs as `python -c` in the user's interpreter and in a run's tree, where modules of the project are found as its
evaluation finds them. The entry returns (losses, tokens, vocabulary), as docs/training.md describes.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Rows = list[list[int]]
Losses = list[list[float]]

AT_ONCE = 32
"""Rows of one call: what fits beside a model that has just been trained."""
POSITIONS = 256
"""Predictions whose probabilities are summed, each over the whole vocabulary."""
SHOWN = 4096
"""Tokens of the rows that are asked for once more beside another validation text."""
BUCKETS = 64
"""Into which tokens are counted, each by its remainder: enough to tell one text from another."""
SPLITS = 64
"""Places after which all later tokens of a row are changed, of all rows together."""


class Model:
    """The user's functions, with rows of numbers in and out."""

    def __init__(self, entry: str, checkpoint: str) -> None:
        found = _function(entry)(checkpoint)
        if not isinstance(found, tuple) or len(found) != 3:
            raise SystemExit(f"{entry} must return (losses, tokens, vocabulary)")
        self._losses, self._tokens, self.vocabulary = found
        self.rows: Rows = _listed(self._tokens)
        if {type(row) for row in self.rows} != {list} or len(self.rows[0]) < 2:
            raise SystemExit(f"{entry}: tokens must be rows of at least two, one row for each text")

    def losses(self, inputs: Rows, targets: Rows) -> Losses:
        """Nats, of the last predictions of each row, as many as the user's function gives."""
        found: Losses = []
        for start in range(0, len(inputs), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            given = _listed(self._losses(_like(self._tokens, inputs[part]), _like(self._tokens, targets[part])))
            rows = given if given and isinstance(given[0], list) else [[loss] for loss in given]
            if [len(row) for row in rows] != [len(rows[0])] * len(inputs[part]) or len(rows[0]) > len(inputs[0]):
                raise SystemExit("losses must return one loss for each target, without any mean")
            found += rows
        return found


def _function(entry: str) -> Callable[[str], Any]:
    """`folder/file.py:name`, found as if the file had been started."""
    file, _, name = entry.rpartition(":")
    sys.path[0] = str(Path(file).parent.resolve())
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or spec.loader is None or not Path(file).is_file():
        raise SystemExit(f"{file}: no such Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def _listed(values: Any) -> Any:
    """Tensors and arrays as lists."""
    return values.tolist() if hasattr(values, "tolist") else values


def _like(example: Any, rows: Rows) -> Any:
    """`rows` as what `example` is: a tensor on its device, an array, or lists."""
    if hasattr(example, "new_tensor"):
        return example.new_tensor(rows)
    if hasattr(example, "dtype"):
        return sys.modules["numpy"].asarray(rows, dtype=example.dtype)
    return rows


def sums(model: Model, row: list[int], width: int) -> list[float]:
    """Of the probabilities of all tokens, for each prediction of `row`."""
    total = [0.0] * width
    for start in range(0, model.vocabulary, AT_ONCE):
        part = range(start, min(start + AT_ONCE, model.vocabulary))
        found = model.losses([row[:-1]] * len(part), [[token] * (len(row) - 1) for token in part])
        for losses in found:
            total = [one + math.exp(-loss) for one, loss in zip(total, losses, strict=True)]
    return total


def changes(model: Model, row: list[int], width: int, most: int, chance: random.Random) -> Iterator[float]:
    """How much a loss changes where all later tokens do."""
    last = len(row) - 2
    places = list(range(last + 1 - width, last))
    chosen = sorted(chance.sample(places, min(most, len(places))))
    others = [[*row[: at + 2], *(_other(token, model.vocabulary, chance) for token in row[at + 2 :])] for at in chosen]
    inputs = [
        [*row[: at + 1], _other(row[at + 1], model.vocabulary, chance), *other[at + 2 : -1]]
        for at, other in zip(chosen, others, strict=True)
    ]
    before = model.losses([row[:-1]] * len(chosen), [row[1:]] * len(chosen))
    after = model.losses(inputs, [other[1:] for other in others])
    for at, one, other in zip(chosen, before, after, strict=True):
        yield max(_apart(*pair) for pair in zip(one[: at + width - last], other[: at + width - last], strict=True))


def _other(token: int, vocabulary: int, chance: random.Random) -> int:
    return (token + chance.randrange(1, vocabulary)) % vocabulary


def _apart(one: float, other: float) -> float:
    return 0.0 if one == other else abs(one - other) if math.isfinite(one - other) else math.inf


def some(model: Model, chance: random.Random) -> Rows:
    """Rows, the last of them shortened, that fit into one line."""
    chosen, left = list[list[int]](), SHOWN
    for row in chance.sample(model.rows, len(model.rows)):
        chosen.append(row[:left])
        left -= len(row)
        if left < 2:
            break
    return chosen


def means(model: Model, rows: Rows) -> list[float]:
    """Of each row's losses, each row by itself."""
    found = [model.losses([row[:-1]], [row[1:]])[0] for row in rows]
    return [math.fsum(losses) / len(losses) for losses in found]


def text(rows: Rows, width: int) -> dict[str, Any]:
    """What is asked for, whatever the order of its rows; `alone`: nats of a target by how often it occurs."""
    targets = Counter(token for row in rows for token in row[-width:])
    total = sum(targets.values())
    counts = [0] * BUCKETS
    for token, times in targets.items():
        counts[token % BUCKETS] += times
    return {
        "alone": -math.fsum(times * math.log(times / total) for times in targets.values()) / total,
        "rows": f"{len(rows)}x{len(rows[0])}:{sum(map(hash, map(tuple, rows))) % (1 << 64):x}",
        "counts": counts,
    }


def answers(model: Model, chance: random.Random) -> dict[str, Any]:
    """The fields of `Probed`."""
    found = model.losses([row[:-1] for row in model.rows], [row[1:] for row in model.rows])
    width = len(found[0])
    chosen = chance.sample(model.rows, min(len(model.rows), -(-POSITIONS // width)))
    totals = [total for row in chosen for total in sums(model, row, width)]
    moved = [change for row in chosen for change in changes(model, row, width, -(-SPLITS // len(chosen)), chance)]
    values = [loss for row in found for loss in row]
    return {
        "loss": math.fsum(values) / len(values),
        "mean_sum": math.fsum(totals) / len(totals),
        "largest_sum": max(totals),
        "sums": len(totals),
        "moved": max(moved, default=0.0),
        "splits": len(moved),
        **text(model.rows, width),
    }


def main() -> None:
    request = json.loads(os.environ.pop("OUTPACE_PROBE"))
    model = Model(request["entry"], request["checkpoint"])
    chance = random.Random(request["nonce"])
    found: dict[str, Any]
    if "rows" in request:
        found = {"means": means(model, request["rows"])}
    elif request["show"]:
        rows = some(model, chance)
        found = {"rows": rows, "means": means(model, rows)}
    else:
        found = answers(model, chance)
    print("\n" + json.dumps({"probe": request["nonce"], **found}), flush=True)


if __name__ == "__main__":
    main()
