"""What the server knows of each open file, in memory: what was measured, and for which text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from outpace_optimizers.records import Trial
from outpace_optimizers.source import base_hash


@dataclass(slots=True)
class Measured:
    """One open file. `applied`: what came of measuring again after an edit of ours, for the text that it made."""

    trials: dict[str, Trial] = field(default_factory=dict[str, Trial])
    applied: tuple[str, Trial] | None = None

    def add(self, trials: Iterable[Trial]) -> None:
        """A later verdict on the same change takes the place of the earlier."""
        for trial in trials:
            for known in [t for t in self.trials.values() if t.idea.patch == trial.idea.patch]:
                del self.trials[known.id]
            self.trials[trial.id] = trial


class Desk:
    def __init__(self) -> None:
        self._files: dict[str, Measured] = {}

    def open(self, uri: str) -> None:
        self._files.setdefault(uri, Measured())

    def close(self, uri: str) -> None:
        self._files.pop(uri, None)

    def __contains__(self, uri: str) -> bool:
        return uri in self._files

    def add(self, uri: str, trials: Iterable[Trial]) -> None:
        if uri in self._files:
            self._files[uri].add(trials)

    def set_applied(self, uri: str, trial: Trial) -> None:
        if uri in self._files:
            self._files[uri].applied = (base_hash(trial.idea.patch.new_source), trial)

    def offers(self, uri: str, text: str) -> list[Trial]:
        """Accepted changes of this very text, the surest gain first."""
        current = base_hash(text)
        won = [t for t in self._trials(uri) if t.verdict.accepted and t.idea.patch.base_hash == current]
        return sorted(won, key=lambda trial: -trial.verdict.interval[0] if trial.verdict.interval else 0.0)

    def applied(self, uri: str, text: str) -> Trial | None:
        """The change that made this very text, measured again in place."""
        applied = self._files[uri].applied if uri in self._files else None
        return applied[1] if applied and applied[0] == base_hash(text) else None

    def find(self, id: str) -> tuple[str, Trial] | None:
        """File and trial of an id; also of a text that is no longer there."""
        for uri in self._files:
            for trial in self._trials(uri):
                if trial.id == id:
                    return uri, trial
        return None

    def _trials(self, uri: str) -> Sequence[Trial]:
        measured = self._files.get(uri)
        return list(measured.trials.values()) if measured else []
