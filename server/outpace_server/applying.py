"""Accepted changes, written into their files as those stand now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from outpace_audit.errors import OutpaceError, StaleVerdict, TargetError
from outpace_optimizers.overnight.records import Night, Tried
from outpace_optimizers.rebase import as_it_is_now, text_now
from outpace_optimizers.stored_trial import stored_trial
from outpace_optimizers.workspace import Workspace
from outpace_server.apply_edit import apply_patch


def bests(night: Night) -> list[Tried]:
    """Of each target, its best change."""
    return [target.best for target in night.targets if target.best is not None]


def apply_verdicts(workspace: Workspace, verdicts: Sequence[str]) -> list[str]:
    """What was done, a line each. Raises what kept the only one from being written."""
    lines: list[str] = []
    for verdict in verdicts:
        try:
            lines.append(_applied(workspace, verdict))
        except OutpaceError as error:
            if len(verdicts) == 1:
                raise
            lines.append(f"not applied: {error}")
    return lines


def _applied(workspace: Workspace, verdict: str) -> str:
    stored = stored_trial(workspace, verdict)
    code, title = stored.target.code, stored.idea.title
    if not stored.verdict.accepted:
        raise TargetError(f"verdict {verdict} is a rejection ({stored.verdict.reason}): it is not applied")
    if stored.whole_file or not Path(code.path).is_file():
        raise TargetError(f"verdict {verdict} is of no file of yours that could be changed: {code.path}")
    now = text_now(code.path)
    try:
        current = as_it_is_now(stored)
    except StaleVerdict as error:
        raise StaleVerdict(f"{error}; run optimize again") from error
    if current.idea.patch.new_source == now:
        return f"{code.path} has it already: {title}"
    said = apply_patch(Path(code.path), current.target.code, current.idea.patch)
    if current is stored:
        return f"{said} ({title})"
    return f"{said} ({title}); the file is not the one that was measured: `outpace check {verdict}` measures it"
