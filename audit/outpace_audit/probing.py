"""L2 and L3 beyond the plain calls: what each check of `registry.PROBED` wants to see, gathered just before it runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from typing import Any

from outpace_audit.changes import NEIGHBOURS, NUMBER_CHANGES, ArgumentChange
from outpace_audit.checks import (
    argument_impact,
    dropout_rate,
    evaluation_mode,
    fingerprints,
    fresh_indices,
    guard_bands,
    held_results,
    layouts,
    other_uses,
    process_state,
    repeat_runs,
    shapes,
    stale_results,
    value_laws,
)
from outpace_audit.checks.evidence import Evidence, Observation, Probe, Repeat, RepeatedRuns
from outpace_audit.dropping import dropped_runs
from outpace_audit.errors import ArmError
from outpace_audit.facts import TargetFacts, WorkloadFacts
from outpace_audit.holding import results_of_held_calls
from outpace_audit.law_choice import laws_for, under_law
from outpace_audit.nudging import CHANGES, UNLEARNED
from outpace_audit.observing import Trio, new_request
from outpace_audit.placement import FINITE_FILL, GUARDED, LAYOUTS, NAN_FILL
from outpace_audit.scout import finite, is_calm
from outpace_audit.shape_choice import chosen_shapes, instead_of
from outpace_audit.shape_scouting import Variant
from outpace_audit.shapes import BATCHED
from outpace_audit.sides import Reply
from outpace_audit.thresholds import (
    ALWAYS_LAWS,
    CALL_TIMEOUT_S,
    CHANGED_ARGUMENTS,
    COMPILE_TIMEOUT_S,
    REPEATED_RUNS,
    RUSHED_CALLS,
    SECRET_LAWS,
    SETTLE_S,
    WORN,
)
from outpace_audit.using import Copied, Use, asked_gradients, cut_leaves, made_otherwise, other_gradients, uses_of
from outpace_audit.values import RIPENED


class Prober:
    """The probes of one audit. Each takes a secretly chosen workload, so that none can count on being spared."""

    def __init__(self, trio: Trio, facts: TargetFacts, evidence: Evidence) -> None:
        self._trio = trio
        self._facts = facts
        self._evidence = evidence
        self._seeds = evidence.seeds
        self._chance = random.Random(evidence.seeds.seed("probe"))
        self._gatherers: dict[str, Callable[[], None]] = {
            evaluation_mode.NAME: self._evaluate,
            argument_impact.NAME: self._change_arguments,
            value_laws.NAME: self._revalue,
            dropout_rate.NAME: self._drop,
            shapes.NAME: self._reshape,
            stale_results.NAME: self._reuse_storage,
            fingerprints.NAME: self._nudge,
            held_results.NAME: self._hold,
            repeat_runs.NAME: self._repeat,
            fresh_indices.NAME: self._renew_indices,
            guard_bands.NAME: self._guard,
            layouts.NAME: self._lay_out,
            other_uses.NAME: self._use_otherwise,
            process_state.NAME: self._look_around,
        }

    def gather(self, check: str) -> None:
        """Raises the ArmErrors of the trusted sides; the candidate's are evidence. Storage is used again before any
        other probe: what remembers results by address may do so in its first calls only."""
        if check not in self._gatherers:
            return
        for name in (stale_results.NAME, check):
            gatherer = self._gatherers.pop(name, None)
            if gatherer is not None and self._evidence.candidate_failure is None:
                try:
                    gatherer()
                except ArmError as error:
                    self._blame(name, "", error)

    def _blame(self, check: str, label: str, error: ArmError) -> None:
        if error.side != "candidate":
            raise error
        self._evidence.probes[check].append(Probe(label, None, error))
        if error.fatal:
            self._evidence.candidate_failure = error

    def _try(self, check: str, label: str, call: Callable[[], Observation | None]) -> bool:
        """Whether the next probe makes sense. What the baseline refuses after all is no probe."""
        try:
            seen = call()
            self._evidence.probes[check] += [] if seen is None else [Probe(label, seen)]
        except ArmError as error:
            if error.side == "candidate" or error.fatal:
                self._blame(check, label, error)
        return self._evidence.candidate_failure is None

    def _one(self) -> WorkloadFacts:
        return self._chance.choice(self._facts.workloads)

    def _plain(self, one: WorkloadFacts) -> Observation:
        """A call on declared inputs that has been made already."""
        return self._chance.choice(self._plain_calls(one))

    def _plain_calls(self, one: WorkloadFacts) -> list[Observation]:
        return [call for call in self._evidence.observations if call.is_plain_call_of(one.workload.label)]

    def _observe(self, one: WorkloadFacts, probe: str, request: Mapping[str, Any]) -> Observation:
        return self._trio.observe(one.workload, probe, dict(request), lifts=not one.truth)

    def _observe_calm(self, one: WorkloadFacts, probe: str, request: Mapping[str, Any]) -> Observation | None:
        """None where the baseline or truth comes near what their types hold, as a recurrence does whose parameters have
        changed: which side overflows first is nobody's to agree with."""
        ours, truth = self._trio.reference(one.workload, dict(request), lifts=not one.truth)
        if not is_calm(self._plain(one).baseline, ours, truth):
            return None
        return self._trio.compare(one.workload, probe, dict(request), ours, truth)

    def _again(self, one: WorkloadFacts, seen: Observation, **special: Any) -> Reply:
        request = {**seen.request, **special}
        return self._trio.candidate.call(one.workload, CALL_TIMEOUT_S, pause_s=SETTLE_S, **request)

    def _look_around(self) -> None:
        self._evidence.states.append(self._trio.states("all calls"))

    def _evaluate(self) -> None:
        if not self._facts.trains:
            return
        for mode in ("evaluating", "inferring"):
            one = self._one()
            cotangents = one.cotangents if mode == "evaluating" else None
            request = new_request(self._seeds, cotangents, mode=mode, rng_seed=self._seeds.seed("call"))

            def call(one: WorkloadFacts = one, mode: str = mode, request: Any = request) -> Observation:
                return self._observe(one, mode, request)

            if not self._try(evaluation_mode.NAME, f"{one.workload.label}, {mode}", call):
                return

    def _change_arguments(self) -> None:
        one = self._one()
        seen = self._plain(one)
        for change in self._chosen(one.domain.changes):
            request = {**seen.request, "change": asdict(change)}
            if change.keeps_tensors:  # after a call on the same tensors, of which the others stay as they are
                request["slot"] = "argued"
                self._trio.candidate.call(one.workload, CALL_TIMEOUT_S, **{**seen.request, "slot": "argued"})

            def call(change: ArgumentChange = change, request: Mapping[str, Any] = request) -> Observation:
                found = replace(self._observe(one, change.text, request), unchanged=(seen.baseline, seen.candidate))
                return replace(found, earlier=self._beside(one, change, request)) if change.lone else found

            if not self._try(argument_impact.NAME, change.text, call):
                return

    def _beside(self, one: WorkloadFacts, change: ArgumentChange, request: Mapping[str, Any]) -> Reply:
        """The candidate's reply to the number beside one that is no label: what counts from the end tells them apart,
        and of data alone no more is asked, since a number below all that it may hold is nobody's to agree with."""
        assert change.value is not None, "a lone change is to an index"
        beside = asdict(replace(change, value=NEIGHBOURS[int(change.value)]))
        return self._trio.candidate.call(one.workload, CALL_TIMEOUT_S, **{**request, "slot": "", "change": beside})

    def _chosen(self, changes: Sequence[ArgumentChange]) -> list[ArgumentChange]:
        """Of tensors' and of others' as many each: of a list of tensors and one number, the number too. A number
        changes up to NUMBER_CHANGES times."""
        most = {True: CHANGED_ARGUMENTS, False: NUMBER_CHANGES * CHANGED_ARGUMENTS}
        kinds = {kept: [change for change in changes if change.keeps_tensors is kept] for kept in (False, True)}
        return [one for kept, kind in kinds.items() for one in self._chance.sample(kind, min(most[kept], len(kind)))]

    def _revalue(self) -> None:
        one = self._one()
        if one.truth:
            return
        laws = [law for law in laws_for(self._facts, one, self._plain(one).baseline) if law != RIPENED]
        for law in laws:
            if law in ALWAYS_LAWS and not self._under_law(one, law) and law == "grown":
                self._under_law(one, RIPENED)
        others = [law for law in laws if law not in ALWAYS_LAWS]
        self._chance.shuffle(others)
        tried = 0
        for law in others:
            if tried >= SECRET_LAWS or self._evidence.candidate_failure is not None:
                return
            tried += self._under_law(one, law)

    def _under_law(self, one: WorkloadFacts, law: str) -> bool:
        """Whether the baseline's results mean anything under this law."""
        if self._evidence.candidate_failure is not None:
            return False
        compare = under_law(self._trio, one, law, self._seeds, self._plain(one).baseline)
        if compare is not None:
            self._try(value_laws.NAME, law, compare)
        return compare is not None

    def _drop(self) -> None:
        if not self._facts.drops:
            return
        one = self._one()
        request = {**new_request(self._seeds, None), "seed": self._plain(one).request["seed"]}
        self._evidence.drops.append(dropped_runs(self._trio, one, request))

    def _reshape(self) -> None:
        pool = [(one, variant) for one in self._facts.workloads for variant in one.domain.shapes]
        self._chance.shuffle(pool)
        chosen, tried = chosen_shapes(pool), self._evidence.probes[shapes.NAME]
        for one, variant in chosen:
            values = {"values": "uneven"} if variant.kind == BATCHED else {}  # what items share then shows
            request = new_request(self._seeds, variant.cotangents, **values)

            def call(one: WorkloadFacts = one, variant: Variant = variant, request: Any = request) -> Observation:
                seen = self._trio.observe(variant.workload, variant.kind, request, lifts=not one.truth)
                return replace(seen, workload=one.workload.label)

            if not self._try(shapes.NAME, variant.workload.label, call):
                return
            if any(probe.failure and probe.label == variant.workload.label for probe in tried):
                chosen += instead_of(variant, [item for item in pool if item not in chosen])

    def _reuse_storage(self) -> None:
        """A call on fresh storage, two with new values in that storage, the second as if it had been freed and given
        out again, the same values somewhere new, again right after calls on others, and after one on another part of
        the same tensors, whose version counters do not tell the parts apart."""
        for one in self._facts.workloads:
            first, second = new_request(self._seeds, one.cotangents), new_request(self._seeds, one.cotangents)
            call = self._trio.candidate.call
            call(one.workload, CALL_TIMEOUT_S, slot="kept", **first)
            suspects = [
                call(one.workload, CALL_TIMEOUT_S, slot="kept", renewed=renewed, pause_s=SETTLE_S, **second)
                for renewed in (False, True)
            ]
            plain = call(one.workload, CALL_TIMEOUT_S, pause_s=SETTLE_S, **second)
            self._evidence.reused += [
                Repeat(f"{one.workload.label}: new values at an old address", suspect, plain) for suspect in suspects
            ]
            rushed = call(one.workload, CALL_TIMEOUT_S, after=RUSHED_CALLS, pause_s=SETTLE_S, **second)
            self._evidence.reused.append(Repeat(f"{one.workload.label}: right after other calls", rushed, plain))
            parted = call(one.workload, CALL_TIMEOUT_S, after=1, parted=True, pause_s=SETTLE_S, **second)
            label = f"{one.workload.label}: after a call on another part of the same tensors"
            self._evidence.reused.append(Repeat(label, parted, plain))
        if self._facts.code.kind == "module":
            self._call_twin()

    def _call_twin(self) -> None:
        """Two more instances, alike but for their parameters' values."""
        one = self._one()
        request = new_request(self._seeds, one.cotangents)
        plain = self._trio.candidate.call(one.workload, CALL_TIMEOUT_S, **request)
        seed = self._seeds.seed("call")
        twin = self._trio.candidate.call_twin(one.workload, COMPILE_TIMEOUT_S, seed, pause_s=SETTLE_S, **request)
        self._evidence.reused.append(Repeat(f"{one.workload.label}: another instance of the module", twin, plain))

    def _nudge(self) -> None:
        """On fresh storage and in that of the call before, in turns; one tensor after the other, from a secret one.
        Many calls on other values come first: what looks closely while it is young does not any more."""
        first = self._seeds.seed("call")
        worn = self._one()
        self._trio.candidate.wear(
            worn.workload, *WORN, worn.fixed, **new_request(self._seeds, None, updated=worn.updated)
        )
        unlearned = UNLEARNED if self._facts.trains and self._facts.code.kind == "module" else ()
        changes = [*((change, "") for change in CHANGES), *unlearned]
        for number, (change, mode) in enumerate(changes):
            one = self._one()
            if not (one.domain.fresh_indices or any(leaf["perturbable"] for leaf in one.inspected["inputs"])):
                continue
            slot = "nudged" if (number + number // 2) % 2 else ""  # each of two tensors both ways
            request = new_request(self._seeds, None if mode else one.cotangents, slot=slot, mode=mode)
            changed = {**request, change: first + number}
            self._trio.candidate.call(one.workload, CALL_TIMEOUT_S, **request)
            label = f"{one.workload.label}, {change} {number}{f', {mode}' if mode else ''}"

            def call(one: WorkloadFacts = one, changed: Any = changed, change: str = change) -> Observation | None:
                return self._observe_calm(one, change, changed)

            if not self._try(fingerprints.NAME, label, call):
                return

    def _hold(self) -> None:
        self._evidence.held.append(results_of_held_calls(self._trio, self._one()))

    def _repeat(self) -> None:
        one = self._one()
        seen = self._plain(one)
        ours = self._trio.baseline.call(one.workload, CALL_TIMEOUT_S, **seen.request)
        theirs = [self._again(one, seen) for _ in range(REPEATED_RUNS - 1)]
        self._evidence.runs.append(RepeatedRuns(seen, (seen.baseline, ours), (seen.candidate, *theirs)))

    def _renew_indices(self) -> None:
        """The same floats in the same storage, other integers."""
        known = [one for one in self._facts.workloads if one.domain.fresh_indices]
        if not known:
            return
        one = self._chance.choice(known)
        request = new_request(self._seeds, one.cotangents, slot="indexed")
        self._trio.candidate.call(one.workload, CALL_TIMEOUT_S, **request)
        renewed = {**request, "index_seed": self._seeds.seed("call")}
        self._try(fresh_indices.NAME, one.workload.label, lambda: self._observe(one, "fresh indices", renewed))

    def _guard(self) -> None:
        one = self._one()
        if GUARDED in one.domain.layouts:
            seen = self._plain(one)
            for fill in (NAN_FILL, FINITE_FILL):
                request = {**seen.request, "layout": GUARDED, "fill": fill}
                guarded = replace(
                    seen,
                    candidate=self._again(one, seen, layout=GUARDED, fill=fill),
                    earlier=seen.candidate,
                    again=self._trio.redraw(one.workload, GUARDED, request),
                )
                self._evidence.probes[guard_bands.NAME].append(Probe(f"surrounded by bytes {fill:#x}", guarded))

    def _lay_out(self) -> None:
        one = self._one()
        seen = self._plain(one)
        for name in LAYOUTS:
            if name not in one.domain.layouts:
                continue

            request = {**seen.request, "layout": name}
            elsewhere = self._trio.redraw(one.workload, name, request)

            def call(name: str = name, request: Any = request, elsewhere: Any = elsewhere) -> Observation:
                if name == "broadcast":  # other values, so another truth
                    return self._observe(one, name, request)
                reply = self._again(one, seen, layout=name)
                return replace(seen, probe=name, candidate=reply, earlier=seen.candidate, again=elsewhere)

            if not self._try(layouts.NAME, name, call):
                return

    def _use_otherwise(self) -> None:
        one = self._one()
        if self._facts.trains:
            self._evidence.cut = cut_leaves(self._trio, one, new_request(self._seeds, one.cotangents))
        if not (self._facts.trains and self._facts.code.kind == "module"):  # of which all inputs learn anyway
            lost, self._evidence.gained = other_gradients(self._trio, one, new_request(self._seeds, None))
            self._evidence.lost = () if self._facts.trains else lost
        quickest = min((call.baseline for call in self._plain_calls(one)), key=lambda reply: reply.seconds)
        undeclared = asked_gradients(self._trio, one, self._seeds) if self._has_undeclared_gradients else ()
        for use in chain(undeclared, uses_of(self._facts, one, quickest, self._seeds)):
            if not self._used(one, use):
                return
        if self._facts.code.kind == "module":
            for made in chain([Copied(self._trio, one, self._seeds)], made_otherwise(self._trio, one, self._seeds)):
                if not self._try(other_uses.NAME, f"{one.workload.label}, {made.label}", made.observe):
                    return

    @property
    def _has_undeclared_gradients(self) -> bool:
        """Whether none of the baseline's would be lost, were all inputs to ask for them, of a function that does not
        train. What a candidate has in places where the sum of all results hides the baseline's is no matter."""
        learns = self._facts.trains or self._facts.code.kind == "module"
        return not (learns or self._evidence.lost)

    def _used(self, one: WorkloadFacts, use: Use) -> bool:
        """Whether the next use makes sense."""
        cotangents = (use.cotangents or one.cotangents) if use.backward else None
        request = new_request(self._seeds, cotangents, **use.request)
        try:
            ours, truth = self._trio.reference(one.workload, request, lifts=not one.truth)
        except ArmError as error:
            if error.fatal:
                raise
            return True
        if use.redraws_state and not (finite(ours) and finite(truth or ours)):
            return True
        if not use.means_something(ours):
            return True

        def compare() -> Observation:
            if use.before is not None:
                before = new_request(self._seeds, cotangents, **use.before)
                self._trio.candidate.call(one.workload, COMPILE_TIMEOUT_S, **before)
            found = self._trio.compare(one.workload, use.label, request, ours, truth)
            if use.beside is None:
                return found
            alone = self._trio.candidate.call(one.workload, COMPILE_TIMEOUT_S, **{**request, **use.beside})
            return replace(found, earlier=alone)

        return self._try(other_uses.NAME, f"{one.workload.label}, {use.label}", compare)
