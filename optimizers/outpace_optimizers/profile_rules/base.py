"""What the built-in profile rules share."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from outpace_audit.records import NumericsClass
from outpace_optimizers.profile_rules.registry import Suggestion
from outpace_optimizers.profiles.records import Profile, Target, Wait

COPYING = frozenset({"aten::to", "aten::_to_copy", "aten::copy_"})


@dataclass(frozen=True, slots=True)
class Described:
    """A rule's fixed part."""

    id: str
    title: str
    claimed_class: NumericsClass

    @property
    def page(self) -> str:
        return f"docs/profile.md#{self.id}"

    def suggestion(
        self, evidence: str, advice: str, seconds: float, where: str = "", calls: tuple[str, ...] = (), edit: str = ""
    ) -> Suggestion:
        return Suggestion(self.id, self.title, evidence, advice, seconds, self.claimed_class, where, calls, edit)


def training(rule: str) -> str:
    """The command that makes and audits what a training rule does."""
    return f"outpace train --rule {rule}"


def optimizing(profile: Profile, where: str) -> str:
    """The command that finds and audits edits of the file that holds a target; nothing where it is in none."""
    path = next((one.path for one in profile.targets if one.name == where and one.path), None)
    return f"outpace optimize {shlex.quote(path)}" if path else ""


def region(profile: Profile, ending: str) -> Target | None:
    """The named region whose name ends so that takes most time."""
    found = [one for one in profile.targets if one.kind == "region" and one.name.endswith(ending)]
    return max(found, key=lambda one: one.seconds, default=None)


def percent(profile: Profile, seconds: float) -> str:
    return f"{100 * profile.share(seconds):.1f}%"


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"


def uploads(profile: Profile, wait: Wait) -> bool:
    """A wait for a copy to the device: `unpinned-copy` speaks of these."""
    if wait.operation not in COPYING:
        return False
    kinds = [copy.kind for copy in profile.copies if copy.where == wait.where]
    return not any(kind.startswith("DtoH") for kind in kinds)
