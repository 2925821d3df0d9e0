"""Profiles of a project, under `.outpace/profiles`: of each the trace, what the run said, what was read from both."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_audit.codec import WrongField, decode, plain
from outpace_audit.errors import OutpaceError
from outpace_optimizers.profiles.names import FOLDER, PROFILE, RUN, TRACE
from outpace_optimizers.profiles.records import FORMAT, Profile
from outpace_optimizers.workspace import write_atomically


class NoProfile(OutpaceError):  # noqa: N818  # the message carries the error
    """No such profile in the project."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one profile's files are."""

    folder: Path
    name: str

    def file(self, ending: str) -> Path:
        return self.folder / f"{self.name}{ending}"


def new_place(state: Path, script: str) -> Place:
    """Named by the script and the second, in local time."""
    folder = state / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{Path(script).stem or 'run'}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    return Place(folder, next(name for name in names if not (folder / f"{name}{RUN}").exists()))


def keep_recording(place: Place, trace: Path, run: Mapping[str, Any]) -> None:
    partial = place.file(f"{TRACE}.partial")
    shutil.copyfile(trace, partial)
    partial.replace(place.file(TRACE))
    write_atomically(place.file(RUN), json.dumps(run))


def keep_profile(place: Place, profile: Profile) -> None:
    write_atomically(place.file(PROFILE), json.dumps(plain(profile), allow_nan=False))


def places(state: Path) -> list[Place]:
    """The newest first."""
    files = [(path.stat().st_mtime_ns, path) for path in (state / FOLDER).glob(f"*{RUN}")]
    return [Place(path.parent, path.name.removesuffix(RUN)) for _, path in sorted(files, reverse=True)]


def find(state: Path, name: str) -> Place:
    """By its name. Raises NoProfile, which says which there are."""
    known = [place for place in places(state) if place.name == name]
    if known:
        return known[0]
    names = ", ".join(place.name for place in places(state)[:5]) or "none so far"
    raise NoProfile(
        f"no profile {name!r} in {state / FOLDER} (there are: {names}); "
        "give a name, a trace file, or a command after `--`"
    )


def stored_run(place: Place) -> dict[str, Any]:
    """Empty where it cannot be read."""
    try:
        found = json.loads(place.file(RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def stored_profile(place: Place) -> Profile | None:
    """None where there is none of this version."""
    try:
        found = json.loads(place.file(PROFILE).read_text(encoding="utf-8"))
        return decode(Profile, found) if found.get("format") == FORMAT else None
    except (OSError, ValueError, WrongField, AttributeError):
        return None


def newest(state: Path) -> Profile | None:
    return next((profile for place in places(state) if (profile := stored_profile(place)) is not None), None)
