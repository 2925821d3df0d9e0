"""Other shapes of a workload that its baseline runs, found by trying."""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from outpace_audit.records import Workload
from outpace_audit.scout import Scout, usable
from outpace_audit.shapes import (
    APART,
    BATCHED,
    EXCHANGED,
    JOINT,
    JOINT_LARGER,
    KINDS,
    LARGEST,
    LEAST,
    PLANE,
    SCALAR,
    TELLING,
    WIDE,
    Symbol,
    alternatives,
    apart,
    batched,
    joint_larger_sizes,
    joint_sizes,
    largest_factor,
    least_size,
    plane,
    resized,
    resized_jointly,
    size_of,
    wide_size,
)
from outpace_audit.sides import Reply, Side
from outpace_audit.thresholds import CALL_TIMEOUT_S, JOINT_TRIES, WIDE_S


@dataclass(frozen=True, slots=True)
class Variant:
    """A call at another shape: the specs of its differentiable outputs as in WorkloadFacts."""

    kind: str
    symbol: str
    workload: Workload
    cotangents: list[list[Any]] | None


class Shapes:
    """The shapes of one workload that its baseline runs: secretly drawn sizes, one of each kind for each symbol."""

    def __init__(self, scout: Scout, workload: Workload, specs: tuple[Any, ...], plain: Reply, trains: bool) -> None:
        self._scout = scout
        self._workload = workload
        self._specs = specs
        self._plain = plain
        self._trains = trains
        self._chance = random.SystemRandom()

    def found(self) -> Iterator[Variant]:
        groups = alternatives(self._specs)
        self._chance.shuffle(groups)
        borne: list[Symbol] = []
        grown: list[Symbol] = []
        for options in groups:
            for symbols in options:
                accepted = {symbol: found for symbol in symbols if (found := self._of(symbol))}
                if not accepted:
                    continue
                for symbol, variants in accepted.items():
                    alone = self._apart(symbol)
                    yield from (*variants, *alone.values())
                    grown += [symbol, *alone]
                    yield from self._plane(symbol)
                    whole = SCALAR in {dim for _, dim in symbol.places} or len(alone) < len(apart(symbol))
                    borne += [symbol] if whole or not alone else alone
                break
        self._chance.shuffle(borne)
        yield from next((pair for symbol in grown if (pair := self._exchanged(symbol))), ())
        yield from self._batched()
        yield from self._jointly(borne)
        yield from self._widely(borne)
        for symbol in grown:  # last, because each takes several calls
            yield from self._least(symbol)

    def _apart(self, symbol: Symbol) -> dict[Symbol, Variant]:
        tried = {one: self._variant(one, self._chance.choice(APART)) for one in apart(symbol)}
        return {one: variant for one, variant in tried.items() if variant is not None}

    def _exchanged(self, symbol: Symbol) -> list[Variant]:
        parts = apart(symbol)
        if len(parts) < 2:
            return []
        tried = [self._sized(part, 2 * part.size, EXCHANGED) for part in self._chance.sample(parts, 2)]
        found = [variant for variant in tried if variant is not None]
        return found if len(found) == len(tried) else []

    def _least(self, symbol: Symbol) -> Iterator[Variant]:
        """Found by halving, as if whatever is larger were borne too, and none is borne at one."""
        if self._sized(symbol, 1, LEAST) is not None:
            return
        refused, borne = 1, symbol.size
        while borne - refused > 1:
            size = (refused + borne) // 2
            if self._sized(symbol, size, LEAST) is not None:
                borne = size
            else:
                refused = size
        size = self._chance.randint(borne, borne + borne // 8)
        found = self._sized(symbol, size, LEAST) if size < symbol.size else None
        if found is not None:
            yield found

    def _plane(self, symbol: Symbol) -> Iterator[Variant]:
        inner = plane(symbol)
        found = self._variant(inner, LARGEST) if inner is not None else None
        if found is not None:
            yield replace(found, kind=PLANE)

    def _jointly(self, symbols: Sequence[Symbol]) -> Iterator[Variant]:
        for number in range(JOINT_TRIES if len(symbols) > 1 else 0):
            sizes = joint_sizes(self._specs, symbols, self._chance, reverse=number == 0)
            changed = resized_jointly(self._workload, self._specs, symbols, sizes)
            if (variant := self._at(changed, JOINT, "all")) is not None:
                yield variant
                break
        larger = joint_larger_sizes(self._specs, symbols, self._chance) if len(symbols) > 1 else None
        if larger is not None:
            changed = resized_jointly(self._workload, self._specs, symbols, larger)
            answer = self._answer(changed)
            if answer is not None and answer[1].seconds <= WIDE_S:
                yield Variant(JOINT_LARGER, "all", changed, answer[0])

    def _widely(self, symbols: Sequence[Symbol]) -> Iterator[Variant]:
        """By the symbol that gives the largest results: a sum over it leaves them as they are."""
        found: list[tuple[int, Variant]] = []
        for symbol in symbols:
            size = wide_size(self._specs, symbol, self._chance)
            changed = resized(self._workload, self._specs, symbol, size) if size is not None else None
            answer = self._answer(changed) if changed is not None else None
            if changed is None or answer is None or answer[1].seconds > WIDE_S:
                continue
            elements = max((math.prod(leaf.shape) for leaf in answer[1].outputs), default=0)
            found.append((elements, Variant(WIDE, _described(symbol), changed, answer[0])))
        if found:
            yield max(found, key=lambda item: item[0])[1]

    def _of(self, symbol: Symbol) -> list[Variant]:
        telling = [variant for kind in TELLING if (variant := self._variant(symbol, kind)) is not None]
        if not telling:
            return []
        others = [variant for kind in KINDS if kind not in TELLING and (variant := self._variant(symbol, kind))]
        return [*telling, *others]

    def _variant(self, symbol: Symbol, kind: str) -> Variant | None:
        most = largest_factor(self._specs, symbol, self._plain.seconds)
        size = size_of(kind, symbol.size, self._chance, most)
        return self._sized(symbol, size, kind) if size != symbol.size else None

    def _sized(self, symbol: Symbol, size: int, kind: str) -> Variant | None:
        if size < least_size(self._specs, symbol.size):
            return None
        return self._at(resized(self._workload, self._specs, symbol, size), kind, _described(symbol))

    def _batched(self) -> Iterator[Variant]:
        changed = batched(self._workload, self._specs)

        def attempt(side: Side) -> bool:
            side.workload(changed)
            return bool(side.ask("batches", CALL_TIMEOUT_S, name=changed.label, seed=secrets.randbits(61)))

        if all(arg.shape is None or arg.shape for arg in self._specs) and self._scout.attempt(attempt):
            found = self._at(changed, BATCHED, "all")
            yield from [found] if found is not None else []

    def _at(self, workload: Workload, kind: str, symbol: str) -> Variant | None:
        answer = self._answer(workload)
        return None if answer is None else Variant(kind, symbol, workload, answer[0])

    def _answer(self, workload: Workload) -> tuple[list[list[Any]] | None, Reply] | None:
        """The specs of its differentiable outputs, and what the baseline gives there, if that is usable."""

        def attempt(side: Side) -> tuple[list[list[Any]] | None, Reply]:
            side.workload(workload)
            seeds = {"seed": secrets.randbits(61), "sample_seed": secrets.randbits(61)}
            cotangents: list[list[Any]] | None = None
            if self._trains:
                answer = side.ask("differentiable", CALL_TIMEOUT_S, name=workload.label, seed=seeds["seed"])
                cotangents = answer["differentiable"]
            return cotangents, side.call(workload, CALL_TIMEOUT_S, cotangents=cotangents, **seeds)

        answer = self._scout.attempt(attempt)
        return answer if answer is not None and usable(self._plain, answer[1]) else None


def _described(symbol: Symbol) -> str:
    return f"{symbol.size} {symbol.places}"
