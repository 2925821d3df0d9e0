"""What the server knows of each open file, in memory: what was measured, and for which text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from outpace_optimizers.notebook import SUFFIX
from outpace_optimizers.records import Trial
from outpace_optimizers.source import base_hash
from outpace_server.lsp.freshness import Block, block_between, carried_over, holds_for, same_reach
from outpace_server.lsp.rearranged import Rearranged, rearranged
from outpace_server.lsp.regions import Region, region_of

TEXTS_KEPT = 8
"""Texts of one file that trials may start from: those on disk at its last measurements."""


NOWHERE = Region(0, 0, 0, 0, 0)
"""Until it is looked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A trial that holds for the text of a file as it is now. `region` lies in that text. `confirmed`: measured again
    since it was applied; then `trial` is that measurement."""

    trial: Trial
    base: str
    """The text that was measured, or that the edit made: unlike the one now only where the target does not reach."""
    changed: str
    """`base` with the change made, or for one that was `applied`, with the change taken back."""
    region: Region
    applied: bool = False
    confirmed: bool = False
    order: Rearranged | None = None
    """Where cells of a notebook stand in another one since."""

    def new_text(self, text: str) -> str:
        """The text as it is now, with the change made or taken back: made when it is asked for, because a long file
        may have hundreds, and all are looked at again with each key."""
        carried = self.order.carried_over(self.base, self.changed, text) if self.order else None
        return carried_over(self.base, self.changed, text) if carried is None else carried


@dataclass(frozen=True, slots=True)
class Applied:
    """An edit of ours that was made. `again`: the trial, measured again in place."""

    trial: Trial
    before: str
    after: str
    again: Trial | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The findings for a `text`, which has `carriage_returns` or not and differs from what they started from in these
    `blocks`. They are the same for every text of which that is true: for the next key in the same line."""

    text: str
    carriage_returns: bool
    blocks: Mapping[str, Block | None]
    findings: list[Finding]


@dataclass(slots=True)
class Measured:
    """One open file. `texts` are what trials start from, by hash. Its `cells` may be moved, if it is a notebook."""

    cells: bool = False
    texts: dict[str, str] = field(default_factory=dict[str, str])
    trials: dict[str, Trial] = field(default_factory=dict[str, Trial])
    handed_out: dict[str, Applied] = field(default_factory=dict[str, Applied])
    """Edits that the editor was given, by trial."""
    applied: dict[str, Applied] = field(default_factory=dict[str, Applied])
    found: Found | None = None
    """The last answer and its text: editors ask several times for each."""


class Desk:
    """The `shelf`: what is known of files that are not open, until one is opened and has been asked about."""

    def __init__(self) -> None:
        self._files: dict[str, Measured] = {}
        self._shelf: dict[str, list[Trial]] = {}

    def open(self, uri: str) -> None:
        self._files.setdefault(uri, Measured(cells=uri.endswith(SUFFIX)))

    def shelve(self, uri: str, trials: Iterable[Trial]) -> None:
        """What is known of a file that is not open, in place of what was."""
        if uri not in self._files:
            self._shelf[uri] = list(trials)

    def shelved(self, uri: str) -> list[Trial]:
        return self._shelf.get(uri, [])

    def close(self, uri: str) -> None:
        self._files.pop(uri, None)

    def __contains__(self, uri: str) -> bool:
        return uri in self._files

    @property
    def uris(self) -> list[str]:
        return list(self._files)

    def remember(self, uri: str, text: str) -> None:
        """A text that is about to be measured, or asked about."""
        if (file := self._files.get(uri)) is not None:
            file.texts.pop(base_hash(text), None)
            file.texts[base_hash(text)] = text
            for old in list(file.texts)[:-TEXTS_KEPT]:
                del file.texts[old]

    def add(self, uri: str, trials: Iterable[Trial]) -> None:
        """A later verdict on the same change takes the place of the earlier; of a text that is not remembered, none
        can be shown."""
        file = self._files.get(uri)
        if file is None:
            return
        file.found = None
        self._shelf.pop(uri, None)
        for trial in trials:
            for known in list(file.trials.values()):
                if known.idea.patch == trial.idea.patch or known.idea.patch.base_hash not in file.texts:
                    del file.trials[known.id]
            file.trials[trial.id] = trial

    def hand_out(self, uri: str, trial: Trial, before: str, after: str) -> None:
        if uri in self._files:
            self._files[uri].handed_out[trial.id] = Applied(trial, before, after)

    def is_out(self, uri: str, id: str) -> bool:
        """Whether an edit was handed out since the last one was applied."""
        return uri in self._files and id in self._files[uri].handed_out

    def made(self, uri: str, text: str) -> str | None:
        """Which of the edits that were handed out has made this very text."""
        file = self._files.get(uri)
        return next((id for id, edit in file.handed_out.items() if edit.after == text), None) if file else None

    def mark_applied(self, uri: str, id: str, text: str) -> Trial | None:
        """The trial whose edit has made this very text, which is from now on known as applied."""
        file = self._files.get(uri)
        edit = file.handed_out.get(id) if file else None
        if file is None or edit is None or edit.after != text:
            return None
        file.applied[id] = edit
        file.handed_out.clear()
        file.found = None
        return edit.trial

    def set_measured_again(self, uri: str, id: str, again: Trial) -> None:
        file = self._files.get(uri)
        if file is not None and id in file.applied:
            file.applied[id] = replace(file.applied[id], again=again)
            file.found = None

    def applied(self, uri: str, id: str) -> Applied | None:
        file = self._files.get(uri)
        return file.applied.get(id) if file else None

    def restore(self, uri: str, edits: Iterable[Applied]) -> None:
        """Edits that were made before this file was opened."""
        if (file := self._files.get(uri)) is not None:
            file.applied = {done.trial.id: done for done in edits} | file.applied
            file.found = None

    def findings(self, uri: str, text: str) -> list[Finding]:
        """What holds for a text of the file, the surest gain first: offers, rejected changes, and what was applied."""
        file = self._files.get(uri)
        if file is None:
            return []
        if file.found is None or file.found.text != text:
            file.found = _look_again(file, text)
        return file.found.findings

    def find(self, id: str) -> tuple[str, Trial] | None:
        """File and trial of an id; also of a text that is no longer there."""
        for uri, file in self._files.items():
            again = [done.again for done in file.applied.values() if done.again]
            for trial in (*file.trials.values(), *again, *(done.trial for done in file.applied.values())):
                if trial.id == id:
                    return uri, trial
        return next(((uri, trial) for uri, kept in self._shelf.items() for trial in kept if trial.id == id), None)

    def surely(self, uri: str, text: str, id: str) -> Finding | None:
        """A finding that holds also where syntax trees are compared: before anything is applied."""
        for finding in self.findings(uri, text):
            same = finding.order is not None or same_reach(finding.base, text, finding.trial.target)
            if finding.trial.id == id and same:
                return finding
        return None


def read_ahead(text: str, trials: Iterable[Trial]) -> None:
    """What the first key in a text would wait for: a long one takes a tenth of a second. In any thread."""
    nothing = Block(0, 0, 0)
    for trial in trials:
        changed = trial.idea.patch.new_source
        region_of(text, changed, trial.idea.patch)
        if not trial.whole_text:
            holds_for(text, changed, nothing, trial.target)


def with_ends_like(text: str, other: str) -> str:
    """Emacs keeps a file's CRLF to itself: its buffer, and so what the server hears of it, has LF alone."""
    return text.replace("\r\n", "\n") if "\r" in text and "\r" not in other else text


def _look_again(file: Measured, text: str) -> Found:
    starts = {**file.texts, **{id: done.after for id, done in file.applied.items()}}
    blocks = {name: block_between(with_ends_like(start, text), text) for name, start in starts.items()}
    known, carriage_returns = file.found, "\r" in text
    same = known is not None and (known.blocks, known.carriage_returns) == (blocks, carriage_returns)
    if known is not None and same and not file.cells:
        return replace(known, text=text)
    found = sorted(_findings(file, text, blocks), key=lambda f: surest_gain(f.trial), reverse=True)
    return Found(text, carriage_returns, blocks, found)


def _findings(file: Measured, text: str, blocks: Mapping[str, Block | None]) -> Iterable[Finding]:
    look = _finding_in_cells if file.cells else _finding
    for id, done in file.applied.items():
        after, before = with_ends_like(done.after, text), with_ends_like(done.before, text)
        made = Finding(done.again or done.trial, after, before, NOWHERE, applied=True, confirmed=done.again is not None)
        yield from look(made, blocks[id], text)
    bases = {name: with_ends_like(base, text) for name, base in file.texts.items()}
    for trial in file.trials.values():
        name, changed = trial.idea.patch.base_hash, trial.idea.patch.new_source
        if name in bases:
            changed = changed if bases[name] is file.texts[name] else with_ends_like(changed, text)
            yield from look(Finding(trial, bases[name], changed, NOWHERE), blocks[name], text)


def _finding(known: Finding, block: Block | None, text: str) -> Iterable[Finding]:
    """`known`, where it holds for a text."""
    region = region_of(known.base, known.changed, known.trial.idea.patch)
    if block is not None:
        if known.trial.whole_text or not holds_for(known.base, known.changed, block, known.trial.target):
            return
        first, last, header = (block.moved(line) for line in (region.first, region.last, region.header))
        region = Region(first, last, header, region.header_start, region.header_end)
    yield replace(known, region=region)


def _finding_in_cells(known: Finding, block: Block | None, text: str) -> Iterable[Finding]:
    found = list(_finding(known, block, text))
    if found or known.trial.whole_text or (order := rearranged(known.base, text, known.trial.target)) is None:
        return found
    region = order.region(region_of(known.base, known.changed, known.trial.idea.patch))
    if region is None or order.carried_over(known.base, known.changed, text) is None:
        return found
    return [replace(known, region=region, order=order)]


def surest_gain(trial: Trial) -> float:
    """The lower end of the speedup's interval; 0 where no time was taken."""
    return trial.verdict.interval[0] if trial.verdict.interval else 0.0
