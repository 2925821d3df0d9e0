"""What the user does not want to see again: a rule for the code that a target reaches, kept in the workspace."""

from __future__ import annotations

import json
from pathlib import Path

from outpace_optimizers.records import Trial
from outpace_optimizers.workspace import Workspace, write_atomically
from outpace_server.lsp.freshness import reach_id

FILE = "dismissed.json"


class Dismissals:
    """Read once for each workspace; a change of the code, not of a comment or of its neighbours, ends a dismissal."""

    def __init__(self) -> None:
        self._known: dict[Path, set[str]] = {}

    def dismiss(self, workspace: Workspace, trial: Trial, text: str) -> None:
        """Raises OSError or EnvironmentMissing where it cannot be kept; then it holds until the editor ends."""
        self._of(workspace).add(_key(trial, text))
        self._keep(workspace)

    def restore(self, workspace: Workspace) -> None:
        self._of(workspace).clear()
        self._keep(workspace)

    def __call__(self, workspace: Workspace, trial: Trial, text: str) -> bool:
        known = self._of(workspace)
        return bool(known) and _key(trial, text) in known

    def _of(self, workspace: Workspace) -> set[str]:
        if workspace.state not in self._known:
            self._known[workspace.state] = _read(workspace.state / FILE)
        return self._known[workspace.state]

    def _keep(self, workspace: Workspace) -> None:
        workspace.prepare()
        write_atomically(workspace.state / FILE, json.dumps(sorted(self._of(workspace)), indent=1) + "\n")


def _key(trial: Trial, text: str) -> str:
    # A rule's ideas for one target are alike; a model's are not.
    what = trial.idea.rule if trial.idea.proposer == "rules" else f"{trial.idea.rule} {trial.idea.title}"
    return f"{what} {trial.target} {reach_id(text, trial.target)}"


def _read(path: Path) -> set[str]:
    """Nothing where there is none, or where somebody has broken it."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {one for one in given if isinstance(one, str)} if isinstance(given, list) else set()
