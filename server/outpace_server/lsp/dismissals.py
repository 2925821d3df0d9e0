"""What the user does not want to see again: a rule for the code that a target reaches, kept in the workspace."""

from __future__ import annotations

import json
from pathlib import Path

from outpace_optimizers.records import Trial
from outpace_optimizers.workspace import Workspace, write_atomically
from outpace_server.lsp.freshness import reach_id

FILE = "dismissed.json"


class Dismissals:
    """By file. Read once for each workspace, which is looked for once for each folder: every answer to an editor asks
    here. A change of the code, not of a comment or of its neighbours, ends a dismissal."""

    def __init__(self) -> None:
        self._by_state: dict[Path, set[str]] = {}
        self._by_folder: dict[Path, set[str]] = {}

    def dismiss(self, path: Path, trial: Trial, text: str) -> None:
        """Raises OSError or EnvironmentMissing where it cannot be kept; then it holds until the editor ends."""
        self._of(path).add(_key(trial, text))
        self._keep(path)

    def restore(self, path: Path) -> None:
        self._of(path).clear()
        self._keep(path)

    def any_in(self, path: Path) -> bool:
        return bool(self._of(path))

    def __call__(self, path: Path, trial: Trial, text: str) -> bool:
        known = self._of(path)
        return bool(known) and _key(trial, text) in known

    def _of(self, path: Path) -> set[str]:
        if path.parent not in self._by_folder:
            state = Workspace.of(path).state
            self._by_folder[path.parent] = self._by_state.setdefault(state, _read(state / FILE))
        return self._by_folder[path.parent]

    def _keep(self, path: Path) -> None:
        workspace = Workspace.of(path)
        workspace.prepare()
        write_atomically(workspace.state / FILE, json.dumps(sorted(self._of(path)), indent=1) + "\n")


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
