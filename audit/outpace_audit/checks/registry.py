"""The built-in checks, in the order in which they run: by level, cheap before dear."""

from __future__ import annotations

from outpace_audit.checks import (
    aliasing,
    argument_impact,
    clock_agreement,
    contract,
    crimes,
    dropout_rate,
    evaluation_mode,
    fingerprints,
    fresh_indices,
    gradients,
    guard_bands,
    held_results,
    input_mutation,
    layouts,
    memory_errors,
    other_uses,
    outputs,
    physical_floor,
    process_state,
    random_draws,
    repeat_runs,
    settled_outputs,
    shapes,
    span,
    speedup,
    stale_results,
    timed_outputs,
    value_laws,
)
from outpace_audit.checks.evidence import AuditCheck

STATIC: tuple[AuditCheck, ...] = (span.CHECK, crimes.CHECK)
CALLS: tuple[AuditCheck, ...] = (
    contract.CHECK,
    process_state.CHECK,
    input_mutation.CHECK,
    aliasing.CHECK,
    random_draws.CHECK,
    outputs.CHECK,
    gradients.CHECK,
)
PROBED: tuple[AuditCheck, ...] = (
    evaluation_mode.CHECK,
    argument_impact.CHECK,
    value_laws.CHECK,
    dropout_rate.CHECK,
    shapes.CHECK,
    settled_outputs.CHECK,
    stale_results.CHECK,
    fingerprints.CHECK,
    held_results.CHECK,
    repeat_runs.CHECK,
    fresh_indices.CHECK,
    layouts.CHECK,
    guard_bands.CHECK,
    other_uses.CHECK,
    process_state.CHECK,
)
"""Each makes calls of its own (`probing.py`), so they run one by one."""
TIMING: tuple[AuditCheck, ...] = (
    process_state.CHECK,
    settled_outputs.CHECK,
    timed_outputs.CHECK,
    clock_agreement.CHECK,
    physical_floor.CHECK,
    speedup.CHECK,
)

CONFIRMED: tuple[AuditCheck, ...] = (memory_errors.CHECK,)
"""Of what is proven faster: dear, and of no interest otherwise."""

ALL: tuple[AuditCheck, ...] = (*STATIC, *CALLS, *PROBED, *TIMING, *CONFIRMED)
NAMES = tuple(check.name for check in ALL)
