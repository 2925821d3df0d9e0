"""L3: after a call, the same again with one secret element of one input or parameter changed, or with its elements in
another order: a result, a plan or a prefix that is remembered by some elements, by a sum or by another fingerprint
shows."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "fingerprints"


def check(evidence: Evidence) -> Check:
    return judge(evidence, NAME, "L3", nothing="no input varies", heeds_noise=True)


CHECK = AuditCheck(NAME, "L3", check)
