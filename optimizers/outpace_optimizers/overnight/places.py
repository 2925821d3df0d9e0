"""The targets of a folder, the one with most to gain first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outpace_audit.errors import OutpaceError, TargetError
from outpace_optimizers.captures import captured_in
from outpace_optimizers.overnight.records import Place
from outpace_optimizers.profiles import store as profiles
from outpace_optimizers.roofline import store as rooflines
from outpace_optimizers.roofline.limits import standings
from outpace_optimizers.targets.loading import is_problem_folder, load_target
from outpace_optimizers.workspace import Workspace

NAMED = re.compile(r"^def get_inputs_(\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """`left_out`: why some are not measured, a line each."""

    places: tuple[Place, ...]
    left_out: tuple[str, ...]


def places_in(path: Path, files: Sequence[Path], name: str | None = None) -> Found:
    """Of a file, a benchmark's folder or a folder; `files` are the Python files in it that say how they are called.
    Raises TargetError where there is nothing to measure."""
    root = Workspace.of(path).state
    folder = path if path.is_dir() else path.parent
    places: list[Place] = []
    left_out: list[str] = []
    for one in [*([] if path.is_file() else problem_folders(path)), *files]:
        if Workspace.of(one).state != root:
            left_out.append(f"{one}: belongs to another project; run outpace there")
            continue
        for target in [name] if name is not None else _names(one, root):
            try:
                found = load_target(one, target, "cpu").name
            except (OutpaceError, OSError) as error:
                left_out.append(str(error))
                continue
            places.append(Place(str(one.absolute()), found, f"{one.relative_to(folder)}: {found}"))
    if not places:
        why = left_out[0] if left_out else "no file in it has get_inputs(), and no captured run calls what one defines"
        raise TargetError(f"{path}: no target: {why}")
    gains = _gains(root)
    known = [replace(place, gain=gains.get((place.path, place.name))) for place in dict.fromkeys(places)]
    order = sorted(known, key=lambda place: -(place.gain or 0.0))
    return Found(tuple(order), tuple(dict.fromkeys(left_out)))


def problem_folders(folder: Path) -> Iterator[Path]:
    """Of SOL-ExecBench: the folder itself, or all below it."""
    if is_problem_folder(folder):
        yield folder
        return
    for definition in sorted(folder.rglob("definition.json")):
        hidden = any(part.startswith(".") for part in definition.relative_to(folder).parts)
        if not hidden and is_problem_folder(definition.parent):
            yield definition.parent


def _names(path: Path, state: Path) -> list[str | None]:
    """Those that are declared or captured one by one; without any, the obvious one."""
    if path.is_dir():
        return [None]
    text = path.read_text(encoding="utf-8", errors="replace") if path.suffix == ".py" else ""
    captured = [target.name for target in captured_in(state, path) if target.trouble is None]
    names = dict.fromkeys([*NAMED.findall(text), *captured])
    return [*names, *([None] if not names or "def get_inputs(" in text else [])]


def _gains(state: Path) -> dict[tuple[str, str], float]:
    """Share of a step that could be saved, by file and name, where a profile knows the share. Without a roofline, all
    of it could."""
    profile = profiles.newest(state)
    if profile is None:
        return {}
    saved = {
        (str(Path(one.path).absolute()), one.target): 1 - 1 / max(found.speedup for found in stands)
        for one in rooflines.known(state)
        if (stands := standings(one.measured, one.ceilings))
    }
    gains: dict[tuple[str, str], float] = {}
    for target in profile.targets:
        if target.path is not None:
            key = str(Path(target.path).absolute()), target.name.partition(".")[0]
            share = profile.share(profile.at_stake(target)) * max(saved.get(key, 1.0), 0.0)
            gains[key] = max(gains.get(key, 0.0), share)
    return gains
