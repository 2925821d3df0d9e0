"""Shared by the checks that look at calls off the beaten track: contract and numbers of each, by the usual budget.

The baseline's error in plain calls of the same workload counts as its own there too: a probe is one call, in which a
single number may be right by luck, and relative errors of one piece of code depend little on shape and strides.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping

from outpace_audit.checks.contract import difference
from outpace_audit.checks.evidence import Evidence, Observation, Probe
from outpace_audit.checks.gradients import compare_buffers, compare_gradients
from outpace_audit.checks.input_mutation import wrong_writes
from outpace_audit.checks.numerics import THRESHOLD, Comparison, Tally, heeding_noise, with_redraws
from outpace_audit.checks.outputs import compare_outputs
from outpace_audit.compare import ErrorProfile
from outpace_audit.records import Check, Level
from outpace_audit.scout import is_finite
from outpace_audit.sides import same_leaves

Comparer = Callable[[Observation], list[Comparison]]


def whole(seen: Observation) -> list[Comparison]:
    """Outputs, gradients and buffers."""
    return [*compare_outputs(seen), *compare_gradients(seen, by_row=False), *compare_buffers(seen)]


def failure_of(evidence: Evidence, name: str) -> str:
    """How the candidate failed in the calls of one check, or nothing."""
    failures = (probe.failure for probe in evidence.probes.get(name, []))
    return next((f"the candidate failed where the baseline ran: {failure}" for failure in failures if failure), "")


def judge(
    evidence: Evidence,
    name: str,
    level: Level,
    *,
    nothing: str,
    may_refuse: bool | Callable[[Probe], bool] = False,
    compare: Comparer = whole,
    special: Callable[[Probe, Observation], str] = lambda probe, seen: "",
    heeds_noise: bool = False,
) -> Check:
    """`nothing`: why there may be no probe. `may_refuse`: whether raising is a narrower domain, reported, no failure.
    `special`: what else is wrong with a probe, or nothing. `heeds_noise`: see `heeding_noise`."""
    probes = evidence.probes.get(name, [])
    if not probes:
        return Check(name, level, True, nothing)
    refused: list[str] = []
    elsewhere = functools.cache(lambda path: _errors(evidence, compare).get(path, ()))
    tally = Tally(name, level, elsewhere=elsewhere, summarised=False)
    for probe in probes:
        failure, observed = probe.failure, probe.seen
        if failure is not None and (failure.fatal or not (may_refuse(probe) if callable(may_refuse) else may_refuse)):
            said = f"{probe.label}: the candidate failed where the baseline ran: {failure}"
            return Check(name, level, False, said, numbers={"kind": failure.kind})
        if observed is None or (may_refuse is True and _is_nothing(observed)):
            refused.append(probe.label)
            continue
        problem = _breach(evidence, observed) or special(probe, observed)
        if problem:
            return Check(name, level, False, f"{probe.label}: {problem}", THRESHOLD)
        earlier = observed.earlier
        if earlier is None or not same_leaves(earlier.leaves, observed.candidate.leaves):
            found = with_redraws(observed, compare)
            outputs = {leaf.path for leaf in observed.baseline.outputs}
            tally.add(probe.label, heeding_noise(found, elsewhere, outputs) if heeds_noise else found)
    narrower = f"; a narrower domain: the candidate raises for {'; '.join(refused)}" if refused else ""
    seen = [probe.label for probe in probes if probe.seen is not None]
    same = "same bits as the baseline" if tally.found else "same bits as the candidate's plain call"
    verdict = tally.verdict(f"{len(seen)} calls ({'; '.join(seen)}){narrower}", same)
    verdict.numbers.update({"refused": refused} if refused else {})
    return verdict


def _is_nothing(seen: Observation) -> bool:
    """Whether the candidate has None where no result has elements, as CUDA's attention has, or gradients that are no
    numbers there, as torch's group norm has of empty images: who goes on with it cannot miss it."""
    ours, theirs = seen.baseline.outputs, seen.candidate.outputs
    empty = len(ours) == len(theirs) and all(0 in one.shape for one in ours)
    return empty and (any(one.plain == "None" for one in theirs) or not all(map(is_finite, seen.candidate.gradients)))


def _breach(evidence: Evidence, seen: Observation) -> str:
    """What of the contract a probe breaks, or nothing."""
    problem = difference(seen.baseline, seen.candidate, evidence.trains)
    wrote_before = any(map(wrong_writes, evidence.observations))  # the check for that was switched off
    return problem or ("" if wrote_before else wrong_writes(seen))


def _errors(evidence: Evidence, compare: Comparer) -> Mapping[str, list[ErrorProfile]]:
    """The baseline's errors in the plain calls, by path."""
    found: dict[str, list[ErrorProfile]] = defaultdict(list)
    for seen in evidence.observations:
        for one in compare(seen) if seen.probe == "fresh" else ():
            if one.baseline is not None:
                found[one.path].append(one.baseline())
    return found
