"""Which files of a project a model may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from outpace_audit.errors import ModelError
from outpace_optimizers.workspace import Workspace


def require_shown(path: Path, workspace: Workspace, patterns: Sequence[str]) -> None:
    """Raises ModelError where the file is not among those that may be shown."""
    try:
        inner = PurePosixPath(path.resolve().relative_to(workspace.root.resolve()))
    except ValueError:
        raise ModelError(f"{path} is outside of {workspace.root}, so it is not shown to a model") from None
    if any(part.startswith(".") for part in inner.parts) or not any(_matches(inner, one) for one in patterns):
        raise ModelError(
            f"{inner} is not shown to a model: it matches none of {', '.join(patterns)}; "
            "see model-paths in docs/model.md"
        )


def _matches(path: PurePosixPath, pattern: str) -> bool:
    """`**/` stands for any folders, none too; `**` at the end for all that is below."""
    pattern = f"{pattern}/*" if pattern.endswith("**") else pattern
    if pattern.startswith("**/") and _matches(path, pattern[3:]):
        return True
    if "**" in pattern:
        head, _, tail = pattern.partition("**/")
        below = path.parts[len(PurePosixPath(head).parts) :]
        inside = path.parts[: len(PurePosixPath(head).parts)] == PurePosixPath(head).parts
        return inside and any(_matches(PurePosixPath(*below[i:]), tail) for i in range(len(below)))
    return len(path.parts) == len(PurePosixPath(pattern).parts) and path.match(pattern)
