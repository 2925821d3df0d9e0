"""What the checks of one audit have said so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from outpace_audit.checks.evidence import AuditCheck
from outpace_audit.records import LEVELS, Check, Level, NumericsClass


@dataclass(slots=True)
class Progress:
    foreign: list[AuditCheck] = field(default_factory=list[AuditCheck])
    checks: list[Check] = field(default_factory=list[Check])
    numerics: NumericsClass | None = None

    @property
    def failed(self) -> Check | None:
        return next((check for check in self.checks if not check.passed), None)

    @property
    def level(self) -> Level | None:
        """The highest level that was reached and passed whole."""
        failed = self.failed
        bound = len(LEVELS) if failed is None else LEVELS.index(failed.level)
        passed = {check.level for check in self.checks if check.passed}
        return next((level for level in reversed(LEVELS[:bound]) if level in passed), None)

    def foreign_of(self, *levels: Level) -> list[AuditCheck]:
        """Checks of third parties at these levels."""
        return [check for check in self.foreign if check.level in levels]
