"""Ceilings of this machine, in the user's cache folder for all projects: measured once for each device and torch."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from outpace_audit.codec import WrongField, decode, plain
from outpace_audit.records import Machine, content_id
from outpace_audit.roofline.records import FORMAT, NOISY, Ceilings
from outpace_audit.runtime import cache_folder
from outpace_audit.thresholds import FOREIGN_SHARE
from outpace_optimizers.workspace import write_atomically


def place_of(machine: Machine) -> Path:
    """A GPU by its UUID and driver, a CPU by its model and the processors that may be used; by torch both."""
    who = (machine.uuid, machine.driver or "") if machine.device == "cuda" else (machine.name, _threads(machine))
    return cache_folder() / f"ceilings-{content_id(str(FORMAT), machine.device, *who, machine.torch)}.json"


def _threads(machine: Machine) -> str:
    """What decides how many threads torch takes."""
    return f"{machine.cores} {os.environ.get('OMP_NUM_THREADS', '')} {os.environ.get('MKL_NUM_THREADS', '')}"


def kept(machine: Machine) -> Ceilings | None:
    """None where there are none of this version."""
    try:
        found = json.loads(place_of(machine).read_text(encoding="utf-8"))
        return decode(Ceilings, found) if found.get("format") == FORMAT else None
    except (OSError, ValueError, WrongField, AttributeError):
        return None


def disturbance(ceilings: Ceilings) -> str:
    """Why these ceilings may be too low, in words; empty where nothing speaks for that."""
    said: list[str] = []
    if ceilings.foreign_share is not None and ceilings.foreign_share > FOREIGN_SHARE:
        said.append(f"other programs used {ceilings.foreign_share:.0%} of the processors")
    if ceilings.noisy:
        worst = max(ceilings.noisy, key=lambda rate: rate.spread)
        count = f"{len(ceilings.noisy)} of {len(ceilings.rates)} ceilings"
        said.append(
            f"repeats of {count} spread by more than {NOISY:.0%}: {worst.kind} {worst.name} by {worst.spread:.0%}"
        )
    return "; ".join(said)


def ceilings_of(machine: Machine, measure: Callable[[], Ceilings], *, fresh: bool) -> tuple[Ceilings, str]:
    """The ceilings, and what the user must know of them. Disturbed ones are used and not kept."""
    known = None if fresh else kept(machine)
    if known is not None:
        return known, ""
    found = measure()
    trouble = disturbance(found)
    if trouble:
        return found, (
            f"ceilings measured while the machine was disturbed: {trouble}; they may be too low, which makes calls "
            "look nearer to the limit, and are not kept: measure again when it is quiet"
        )
    return found, _keep(machine, found)


def _keep(machine: Machine, found: Ceilings) -> str:
    place = place_of(machine)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps(plain(found), allow_nan=False))
    except OSError as error:
        return f"ceilings are not kept: {place.parent} cannot be written ({error.strerror})"
    return ""
