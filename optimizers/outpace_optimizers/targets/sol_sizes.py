"""How large a workload is, which ones to take, and how to make one smaller for a CPU.

Shrinking halves the largest variable axis until the workload fits. What held between the variable axes of
*every* workload of the problem goes on holding: a constant ratio or difference (patches and merged patches),
an order (new length <= maximum length), divisibility, and the common divisor of one axis (heights that are
multiples of a patch).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from outpace_audit.errors import WorkloadError
from outpace_optimizers.targets.sol_definition import ITEM_BYTES, Definition, TensorField

Axes = dict[str, int]
CPU_BYTES = 24 << 20
"""Inputs and outputs of one call: beyond a desktop's last-level cache, and milliseconds of memory traffic."""
CPU_COST = 4e9
"""Operations of one call by `cost`: about 0.1 s on two cores, so a hundred paired calls fit in a minute."""
LEAST_ROWS, LEAST_AXIS = 16, 4
"""Where large constant weights dominate, shrinking stops here: one token says nothing about the code."""
CUDA_BYTES = 100 << 30
COPIES = 6
"""Copies of its inputs and outputs that an audit holds at once: two arms, truth in fp64, intermediates."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes and operations of a problem's workloads, by their variable axes."""

    definition: Definition

    def total_bytes(self, variables: Axes) -> int:
        """Declared bytes of inputs and outputs."""
        axes = self.definition.resolve(variables)
        return sum(_bytes(tensor, axes) for tensor in self._tensors())

    def varying_bytes(self, variables: Axes) -> int:
        """The part of `total_bytes` that shrinking can change."""
        axes, varying = self.definition.resolve(variables), self.definition.varying()
        return sum(_bytes(tensor, axes) for tensor in self._tensors() if varying.intersection(tensor.shape or ()))

    def rows(self, variables: Axes) -> int:
        """Positions of the largest activation: the product of its variable dims, e.g. batch × length.

        An axis that a shape names twice (an attention mask) counts once.
        """
        axes, varying = self.definition.resolve(variables), self.definition.varying()
        dims = [varying.intersection(tensor.shape or ()) for tensor in self.definition.inputs]
        return max((math.prod(axes[name] for name in names) for names in dims if names), default=0)

    def cost(self, variables: Axes) -> float:
        """A proxy for operations: 2 × rows × elements of constant matrices, and attention's square.

        Attention (a softmax in the reference) adds 2 × largest activation × longest variable axis. It can be
        ten times too high (experts that few tokens visit) or too low (scans); it only decides how far to go.
        """
        axes, varying = self.definition.resolve(variables), self.definition.varying()
        shapes = [(t.resolve(axes) or (), bool(varying.intersection(t.shape or ()))) for t in self.definition.inputs]
        matrices = sum(math.prod(shape) for shape, moves in shapes if len(shape) > 1 and not moves)
        largest = max((math.prod(shape) for shape, moves in shapes if moves), default=0)
        attends = any(word in self.definition.reference for word in ("softmax", "scaled_dot_product_attention"))
        square = largest * max(variables.values(), default=1) if attends else 0
        return 2.0 * (self.rows(variables) * matrices + square)

    def fits_cpu(self, variables: Axes) -> bool:
        return self.varying_bytes(variables) <= CPU_BYTES and self.cost(variables) <= CPU_COST

    def fits_cuda(self, variables: Axes) -> bool:
        return self.total_bytes(variables) * COPIES <= CUDA_BYTES

    def is_sound(self, variables: Axes, original: Axes) -> bool:
        """Whether every axis resolves, no size has become zero that was not, and enough is left to time."""
        try:
            new, old = self.definition.resolve(variables), self.definition.resolve(original)
        except WorkloadError:
            return False
        if any(new[name] == 0 < old[name] for name in new):
            return False
        enough = self.rows(variables) >= LEAST_ROWS and all(
            variables[name] >= min(original[name], LEAST_AXIS) for name in variables
        )
        return enough or self.varying_bytes(variables) > CPU_BYTES

    def _tensors(self) -> tuple[TensorField, ...]:
        return (*self.definition.inputs, *self.definition.outputs)


def _bytes(tensor: TensorField, axes: Axes) -> int:
    shape = tensor.resolve(axes)
    return 0 if shape is None else math.prod(shape) * ITEM_BYTES[tensor.dtype]


@dataclass(frozen=True, slots=True)
class Relations:
    """What holds between the variable axes of all workloads; one workload alone proves no relation."""

    ratios: dict[tuple[str, str], tuple[int, int]]
    """(a, b) → (p, q) with b = a·p/q."""
    offsets: dict[tuple[str, str], int]
    """(a, b) → b − a."""
    ordered: frozenset[tuple[str, str]]
    """(a, b) with a <= b."""
    divides: frozenset[tuple[str, str]]
    """(a, b) with a | b."""
    divisors: dict[str, int]

    def follow(self, axis: str, variables: Axes) -> Axes | None:
        """The other axes set to suit a new value of `axis`; None where they cannot be."""
        result = dict(variables)
        for (first, second), (p, q) in self.ratios.items():
            if first == axis:
                if variables[axis] * p % q:
                    return None
                result[second] = variables[axis] * p // q
        for (first, second), difference in self.offsets.items():
            if first == axis:
                result[second] = variables[axis] + difference
        return result if self._hold(result) else None

    def _hold(self, values: Axes) -> bool:
        return (
            all(value >= 0 for value in values.values())
            and all(values[a] <= values[b] for a, b in self.ordered)
            and all(values[a] > 0 and values[b] % values[a] == 0 for a, b in self.divides)
            and all(values[name] % divisor == 0 for name, divisor in self.divisors.items())
        )


def find_relations(rows: Sequence[Axes]) -> Relations:
    ratios: dict[tuple[str, str], tuple[int, int]] = {}
    offsets: dict[tuple[str, str], int] = {}
    ordered: set[tuple[str, str]] = set()
    divides: set[tuple[str, str]] = set()
    names = list(rows[0]) if rows else []
    for a, b in ((a, b) for a in names for b in names if a != b):
        pairs = {(row[a], row[b]) for row in rows}
        if len(pairs) < 2:
            continue
        a0, b0 = next(iter(pairs))
        varied = len({x for x, _ in pairs}) > 1
        if varied and all(x > 0 and x * b0 == y * a0 for x, y in pairs):
            ratios[a, b] = (b0 // math.gcd(a0, b0), a0 // math.gcd(a0, b0))
        elif varied and all(y - x == b0 - a0 for x, y in pairs):
            offsets[a, b] = b0 - a0
        if all(x <= y for x, y in pairs):
            ordered.add((a, b))
        if len(pairs) > 2 and all(x > 0 and y % x == 0 for x, y in pairs):
            divides.add((a, b))
    return Relations(ratios, offsets, frozenset(ordered), frozenset(divides), _divisors(names, rows))


def _divisors(names: Sequence[str], rows: Sequence[Axes]) -> dict[str, int]:
    """The common divisor of an axis with at least three values; fewer are no evidence."""
    values = {name: {row[name] for row in rows} for name in names}
    return {name: math.gcd(*seen) for name, seen in values.items() if len(seen) > 2 and math.gcd(*seen) > 1}


def shrink(sizes: Sizes, relations: Relations, variables: Axes) -> Axes:
    """Halve the largest axis that can be halved until the workload fits a CPU, or none can."""
    current = dict(variables)
    while not sizes.fits_cpu(current):
        smaller = _step(sizes, relations, current, variables)
        if smaller is None:
            break
        current = smaller
    return current


def _step(sizes: Sizes, relations: Relations, current: Axes, original: Axes) -> Axes | None:
    for axis in sorted(current, key=lambda name: -current[name]):
        value = halve(current[axis], relations.divisors.get(axis, 1))
        if value >= current[axis]:
            continue
        smaller = relations.follow(axis, {**current, axis: value})
        if smaller is not None and sizes.is_sound(smaller, original) and sum(smaller.values()) < sum(current.values()):
            return smaller
    return None


def halve(value: int, unit: int = 1) -> int:
    """Half of `value` in whole `unit`s, at least one; an odd count drops to the power of two below it."""
    count = value // unit
    if count <= 1:
        return value
    smaller = count // 2 if count % 2 == 0 else 1 << (count.bit_length() - 1)
    return smaller * unit


def spread(count: int, limit: int | None) -> list[int]:
    """`limit` indices spread evenly over `count` sorted items: smallest, median, largest for three."""
    if limit is None or limit >= count:
        return list(range(count))
    if limit <= 1:
        return [count // 2][:limit]
    return sorted({round(index * (count - 1) / (limit - 1)) for index in range(limit)})
