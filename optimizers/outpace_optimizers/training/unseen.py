"""Is a gain there without the validation text? Learned from it, or picked by it, it goes when the text is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from outpace_audit.records import Check
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.files import matching
from outpace_optimizers.training.models import not_run
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.training.store import Side
from outpace_optimizers.training.welch import Comparison, compare

NAME = "validation-unseen"
LIMIT = "as good without it"
BLOCK, BLOCKS = 32, 3
"""Bytes, and how many such pieces of a validation file in a changed one are no chance."""
APART, APART_MORE = 1e-3, 4.0
"""By how much a row's loss may differ where the model is loaded beside other validation files: by rounding, in nats, or
so many times as much as the baseline's."""
LOOKED_AT = 16 << 20
"""Bytes of a file: a text is not copied by its end alone."""


def validation_copied(change: Change, root: Path, patterns: tuple[str, ...]) -> Check:
    """What a changed file quotes is there beside any other validation text, too."""
    name, limit = "validation-copied", f"fewer than {BLOCKS} pieces of {BLOCK} bytes"
    if not patterns:
        return not_run(name, "no validation is named", "L0")
    for file in matching(root, patterns):
        pieces = _pieces(_head(root / file))
        for path, data in sorted(change.files.items()):
            if len(_quoted(data or b"", pieces) - _quoted(_head(root / path), pieces)) >= BLOCKS:
                return Check(name, "L0", False, f"{path} quotes {file}", limit)
    return Check(name, "L0", True, "no changed file quotes a validation file", limit)


def _head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(LOOKED_AT)


def _pieces(data: bytes) -> set[bytes]:
    """Those that are no filling."""
    every = (data[at : at + BLOCK] for at in range(0, len(data) - BLOCK + 1, BLOCK))
    return {piece for piece in every if len(set(piece)) > BLOCK // 4}


def _quoted(data: bytes, pieces: set[bytes]) -> set[bytes]:
    return {data[at : at + BLOCK] for at in range(len(data) - BLOCK + 1)} & pieces


def validation_unseen(
    seen: Mapping[Side, Sequence[RunResult]], beside: Callable[[Side, int], RunResult], sign: int, alpha: float
) -> tuple[Check, Comparison | None]:
    """With the gain to report in the confirmation's place, where runs without the text had to show one.

    `seen`: the confirmation's runs. `beside(side, number)`: the same run beside a decoy, evaluated on the real text.

    One run of the candidate is enough where it is the same to the last digit. Else all of it have to prove the gain,
    against a baseline whose runs are repeated where they, too, depend on the text.
    """
    first = beside("candidate", 0)
    if _apart(first) > APART and _apart(first) > APART_MORE * _apart(beside("baseline", 0)):
        text = f"its losses change by {_apart(first):.3g} with the validation files that its code finds beside it"
        return Check(NAME, "L5", False, f"{text}: it reads them when it is evaluated", LIMIT), None
    if first.outcome == "finished" and first.value == seen["candidate"][0].value:
        return Check(
            NAME, "L5", True, f"with another text and the same seed it has {first.value:.6g} as well", LIMIT
        ), None
    own = beside("baseline", 0)
    if own.outcome != "finished":
        return not_run(NAME, f"the baseline does not train beside a shuffled text: {own.reason}"), None
    if first.outcome != "finished":
        return Check(NAME, "L5", False, f"beside another validation text it fails: {first.reason}", LIMIT), None
    baseline = list(seen["baseline"])
    if own.value != baseline[0].value:
        baseline = [beside("baseline", number) for number in range(len(baseline))]
    candidate = [beside("candidate", number) for number in range(len(seen["candidate"]))]
    return _without_it(baseline, candidate, sign, alpha)


def _apart(run: RunResult) -> float:
    return run.probed.apart or 0.0 if run.probed is not None else 0.0


def _without_it(
    baseline: Sequence[RunResult], candidate: Sequence[RunResult], sign: int, alpha: float
) -> tuple[Check, Comparison | None]:
    lost = next((run for run in (*baseline, *candidate) if run.outcome != "finished"), None)
    if lost is not None:
        return Check(NAME, "L5", False, f"beside another validation text a run fails: {lost.reason}", LIMIT), None
    values = [[run.value or 0.0 for run in runs] for runs in (baseline, candidate)]
    found = compare(values[0], values[1], sign, alpha)
    text = f"trained beside another validation text its gain is {found.gain:.3g} [{found.low:.3g}, {found.high:.3g}]"
    why = "" if found.proven else ": it learns from the validation text, or picks by it"
    return Check(NAME, "L5", found.proven, text + why, LIMIT, {"gain": found.gain, "low": found.low}), found
