"""Rooflines of a project's targets, under `.outpace/rooflines`: the newest of each target."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from outpace_audit.codec import WrongField, decode, plain
from outpace_audit.records import content_id
from outpace_optimizers.profiles.code_names import spans_in
from outpace_optimizers.roofline.records import FORMAT, Roofline
from outpace_optimizers.workspace import write_atomically

FOLDER = "rooflines"


def digests_of(source: str, target: str, kind: str) -> dict[str, str]:
    """Of a function, or of all methods of a class, by qualified name; comments and layout do not count."""
    return {
        span.name: span.digest
        for span in spans_in(source)
        if span.digest and (span.name.startswith(f"{target}.") if kind == "module" else span.name == target)
    }


def keep(state: Path, found: Roofline) -> None:
    folder = state / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(
        folder / f"{content_id(found.path)}-{content_id(found.target)}.json", json.dumps(plain(found), allow_nan=False)
    )


def known(state: Path) -> tuple[Roofline, ...]:
    """Those whose code is still what was measured. What cannot be read is as if it were not there."""
    files = sorted((state / FOLDER).glob("*.json"))
    read = (_read(file) for file in files)
    return tuple(found for found in read if found is not None and is_fresh(found))


def is_fresh(found: Roofline) -> bool:
    return _digests_now(found) == dict(found.digests)


def _digests_now(found: Roofline) -> Mapping[str, str]:
    try:
        text = Path(found.path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return {}
    return digests_of(text, found.target, found.kind)


def _read(file: Path) -> Roofline | None:
    try:
        message = json.loads(file.read_text(encoding="utf-8"))
        return decode(Roofline, message) if message.get("format") == FORMAT else None
    except (OSError, ValueError, WrongField, AttributeError):
        return None
