"""What a line that a training script prints says: by a regular expression, or by a key of a JSON object."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

from outpace_audit.errors import OutpaceError


class TrainingError(OutpaceError):
    """A training target that is not described well, or runs that say nothing about it."""


class Undescribed(TrainingError):  # noqa: N818  # the message carries the error
    """A project whose training nothing describes."""


STEP_KEYS = ("step", "global_step", "iter", "iteration", "epoch", "episode")


@dataclass(frozen=True, slots=True)
class Reading:
    """One of the three is set. The expression's value is its group `value`, else its first; its step the group `step`.

    In a JSON line the step is the key `counted`, else the first of STEP_KEYS. `tag` is TensorBoard's. `file`: where it
    stands, below the root, in place of what is printed; a folder for a tag.
    """

    regex: re.Pattern[str] | None = None
    key: str = ""
    tag: str = ""
    file: str = ""
    counted: str = ""

    def value(self, line: str) -> float | None:
        """The last number that `line` gives; `nan` and `inf` are numbers, anything else is not."""
        return self.point(line)[0]

    def point(self, line: str) -> tuple[float | None, int | None]:
        """(value, step) of what is printed: nothing, where the value stands in a file."""
        return (None, None) if self.file else self.read(line)

    def read(self, line: str) -> tuple[float | None, int | None]:
        """(value, step), wherever the line is from."""
        value, step = self._read(line)
        return value, int(step) if step is not None and math.isfinite(step) else None

    def _read(self, line: str) -> tuple[float | None, float | None]:
        if self.regex is None:
            fields = _object(line)
            keys = (self.counted,) if self.counted else STEP_KEYS
            steps = (_number(fields[name]) for name in keys if name in fields)
            return _number(fields.get(self.key)), next(steps, None)
        found = list(self.regex.finditer(line))
        if not found:
            return None, None
        last, groups = found[-1], found[-1].groupdict()
        return _number(groups["value"] if "value" in groups else last[1]), _number(groups.get("step"))

    def unread(self, line: str) -> str:
        """What the expression finds in place of a number."""
        found = list(self.regex.finditer(line)) if self.regex is not None and not self.file else []
        texts = [str(one["value"] if "value" in one.re.groupindex else one[1]) for one in found]
        return next((text for text in texts if _number(text) is None), "")

    def __str__(self) -> str:
        where = f" in {self.file}" if self.file else ""
        if self.tag:
            return f"TensorBoard tag {self.tag!r}{where}"
        return f"{self._what()}{where}"

    def _what(self) -> str:
        return f"regex {self.regex.pattern!r}" if self.regex is not None else f"JSON key {self.key!r}"


def _object(line: str) -> dict[str, object]:
    text = line.strip()
    if not text.startswith("{"):
        return {}
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value.rstrip("%,;:|)]}") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
