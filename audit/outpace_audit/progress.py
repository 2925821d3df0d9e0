"""What the checks of one audit have said so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from outpace_audit.checks import registry
from outpace_audit.checks.evidence import AuditCheck
from outpace_audit.records import LEVELS, Check, Level, NumericsClass


@dataclass(slots=True)
class Progress:
    foreign: list[AuditCheck] = field(default_factory=list[AuditCheck])
    off: frozenset[str] = frozenset()
    checks: list[Check] = field(default_factory=list[Check])
    numerics: NumericsClass | None = None

    @property
    def failed(self) -> Check | None:
        return next((check for check in self.checks if not check.passed), None)

    @property
    def level(self) -> Level | None:
        """The highest level that was gone through and passed whole, as all below it were."""
        failed, seen = self.failed, {check.name for check in self.checks}
        reached: Level | None = None
        for level in LEVELS:
            wanted = {check.name for check in registry.ALL if check.level == level} - self.off
            if (failed is not None and failed.level == level) or not wanted or not wanted <= seen:
                break
            reached = level
        return reached

    def foreign_of(self, *levels: Level) -> list[AuditCheck]:
        """Checks of third parties at these levels."""
        return [check for check in self.foreign if check.level in levels]
