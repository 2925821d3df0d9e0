"""Checks of third parties. They run in the judge, which trusts them as it trusts itself: only those that the user names
are loaded, never one because it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.errors import EnvironmentMissing
from outpace_audit.records import LEVELS, Check

GROUP = "outpace.checks"
"""Entry points of packages in the judge's interpreter, which is the one that has the user's torch."""
MODULE = "outpace_foreign_check_{number}"


def load_checks(references: Sequence[str], known: Sequence[str]) -> list[AuditCheck]:
    """By whole path of a Python file that defines CHECK, or by name of an entry point. `known`: names that are taken.

    Raises EnvironmentMissing for what cannot be loaded.
    """
    taken = set(known)
    loaded: list[AuditCheck] = []
    for number, reference in enumerate(references):
        check = _checked(reference, _load(reference, number))
        if check.name in taken:
            raise EnvironmentMissing(f"check {reference}: there is a check called {check.name} already: rename it")
        taken.add(check.name)
        loaded.append(replace(check, run=_guarded(check)))
    return loaded


def _load(reference: str, number: int) -> object:
    try:
        if not Path(reference).is_absolute():
            found = entry_points(group=GROUP, name=reference)
            if not found:
                raise EnvironmentMissing(
                    f"check {reference}: no package in the interpreter under test has such an entry point in "
                    f"{GROUP!r}; name a file by its path"
                )
            return next(iter(found)).load()
        spec = importlib.util.spec_from_file_location(MODULE.format(number=number), reference)
        assert spec is not None and spec.loader is not None, "a .py file has a loader"
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, "CHECK", None)
    except EnvironmentMissing:
        raise
    except BaseException as error:  # SystemExit too: whatever importing it does, it is no check then
        raise EnvironmentMissing(f"check {reference}: cannot be loaded: {type(error).__name__}: {error}") from error


def _checked(reference: str, found: object) -> AuditCheck:
    if not isinstance(found, AuditCheck) or found.level not in LEVELS[:5]:
        raise EnvironmentMissing(
            f"check {reference}: its CHECK must be an outpace_audit.checks.evidence.AuditCheck of a level from L0 to L4"
        )
    return found


def _guarded(check: AuditCheck) -> Callable[[Evidence], Check]:
    """A check that raises, or returns anything else than a Check, has not passed."""

    def run(evidence: Evidence) -> Check:
        try:
            return replace(check.run(evidence), name=check.name, level=check.level)
        except Exception as error:  # what is no Check cannot be replaced: a TypeError
            return Check(check.name, check.level, False, f"the check itself failed: {type(error).__name__}: {error}")

    return run
