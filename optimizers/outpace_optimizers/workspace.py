"""Where outpace keeps what it knows of a project: the `.outpace` folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from outpace_audit.errors import EnvironmentMissing

EVIDENCE = "evidence"
LEDGER = "ledger.sqlite"
ROOT_MARKS = (".outpace", ".git", "pyproject.toml", "setup.py")


class Workspace:
    """The project that a file belongs to. `OUTPACE_STATE` moves the state folder elsewhere."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        wanted = os.environ.get("OUTPACE_STATE")
        self.state = Path(wanted).absolute() if wanted else self.root / ".outpace"

    @classmethod
    def of(cls, path: Path) -> Workspace:
        start = path.resolve()
        start = start if start.is_dir() else start.parent
        root = next(
            (folder for folder in (start, *start.parents) if any((folder / m).exists() for m in ROOT_MARKS)),
            start,
        )
        return cls(root)

    def evidence(self, verdict: str) -> Path:
        """The file of a verdict's evidence; a verdict that is measured again takes the place of the last."""
        return self.state / EVIDENCE / f"{verdict}.json"

    def prepare(self) -> None:
        """Makes the state folder, ignored by git from inside. Raises EnvironmentMissing where it cannot be written."""
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            if not (self.state / ".gitignore").exists():
                write_atomically(self.state / ".gitignore", "*\n")
        except OSError as error:
            raise EnvironmentMissing(
                f"{self.state} cannot be written ({error.strerror}): set OUTPACE_STATE to a folder that can"
            ) from error


def write_atomically(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
