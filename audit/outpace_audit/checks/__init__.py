"""The built-in checks, in the order in which they run: by level, cheap before dear."""

from __future__ import annotations

from outpace_audit.checks import (
    aliasing,
    clock_agreement,
    contract,
    crimes,
    gradients,
    input_mutation,
    outputs,
    physical_floor,
    settled_outputs,
    span,
    speedup,
    stale_results,
    timed_outputs,
)
from outpace_audit.checks.evidence import AuditCheck

STATIC: tuple[AuditCheck, ...] = (span.CHECK, crimes.CHECK)
CALLS: tuple[AuditCheck, ...] = (
    contract.CHECK,
    input_mutation.CHECK,
    aliasing.CHECK,
    outputs.CHECK,
    gradients.CHECK,
    stale_results.CHECK,
    settled_outputs.CHECK,
)
TIMING: tuple[AuditCheck, ...] = (
    settled_outputs.CHECK,
    timed_outputs.CHECK,
    clock_agreement.CHECK,
    physical_floor.CHECK,
    speedup.CHECK,
)

NAMES = tuple(check.name for check in (*STATIC, *CALLS, *TIMING))
