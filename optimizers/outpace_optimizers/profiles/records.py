"""One profile: what a trace says of a step, and of which code. Times in seconds per step, memory in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FORMAT = 4
VISIBLE = 0.0005
"""Of a step: what is written as 0.0% says nothing."""
Kind = Literal["function", "module", "region"]


@dataclass(frozen=True, slots=True)
class Portion:
    """Part of a step: an operator, a kernel, a category."""

    name: str
    seconds: float
    count: float = 0.0
    """Per step."""
    where: str = ""
    """The target it belongs to."""


@dataclass(frozen=True, slots=True)
class Target:
    """A function, a module class, or a named region (an optimizer's step, a compiled region, a Triton kernel).

    `seconds` is inclusive: with all that it calls and with the backward pass that it causes, of which `backward_s` is
    the latter. `own_s` is what belongs to no target further in; over all targets it adds up to what is attributed.
    """

    kind: Kind
    name: str
    seconds: float
    backward_s: float
    own_s: float
    calls: float
    path: str | None = None
    """Of a function: its file."""
    line: int | None = None
    digest: str | None = None
    """Of a function's source, as it was when the trace was read; None where the file had changed by then."""
    around: bool = False
    """It runs the steps, or only other modules: nothing but what it does itself could be made faster."""
    operators: tuple[Portion, ...] = ()
    """What `own_s` is made of."""
    host_s: float = 0.0
    """Of the host, inclusive, whatever the device was doing meanwhile."""
    device_s: float = 0.0
    """Of `seconds`, in which the device worked for it."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.path or "", self.name


@dataclass(frozen=True, slots=True)
class Wait:
    """The host waiting for the device: an operation, where, how often and how long."""

    operation: str
    where: str
    count: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Copy:
    """Copies between host and device. `kind` as Kineto writes it: `HtoD (Pageable -> Device)`."""

    kind: str
    where: str
    count: float
    seconds: float
    bytes: float
    host_s: float = 0.0
    """In the calls that asked for them."""


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What the accelerator did. `median_kernel_s` over all kernels; matmul times by the precision of their inputs."""

    busy_s: float
    kernels: float
    median_kernel_s: float
    matmul_s: Mapping[str, float]
    tf32_kernels: bool
    communication_s: float = 0.0
    """Of NCCL's kernels, which also wait for the slowest rank."""
    exposed_s: float = 0.0
    """In which nothing else ran beside them."""
    sparse_s: float = 0.0
    """Of kernels with fewer blocks than half of the multiprocessors; not of communication and the optimizer."""
    unfilled_s: float = 0.0
    """Of that, weighted by how many of the multiprocessors had no block."""
    tf32_s: float = 0.0
    """Of the products of fp32 tensors, in TF32."""
    gemm_s: float = 0.0
    """Of the others those that are no convolutions."""
    convolution_s: float = 0.0
    fused_s: float = 0.0
    """Of fused attention, of fp32 tensors."""
    other_s: float = 0.0
    """Of kernels that are neither products nor fused attention, communication or the optimizer's."""


@dataclass(frozen=True, slots=True)
class Attention:
    """A softmax between two batched products. `seconds` with all between them and their backward steps, of which
    `products_s` the two products'."""

    where: str
    scores: tuple[int, ...]
    count: float
    seconds: float
    products_s: float
    host_s: float = 0.0
    """Of `seconds`' operators on the host, whatever the device was doing meanwhile."""


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What activation checkpointing runs again: where most of it is, how many operators, how long; and the `bytes`
    that they read, which about is what would have to be kept instead."""

    where: str
    count: float
    seconds: float
    bytes: float
    host_s: float = 0.0
    """Of the host, with what arranges it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """In which one thing was done. In seconds, from the beginning of the step."""

    start: float
    seconds: float
    name: str
    backward: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """What one level of the host's code, or one queue of the device, was doing. Without a name: the level below."""

    name: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One step, as it was recorded."""

    seconds: float
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """All that was read from one trace."""

    format: int
    trace: str
    steps: int
    step_s: float
    """Without what recording it has added, as far as that is known: what the times of targets add up to."""
    profiled_step_s: float
    """As it stands in the trace, and in the breakdown."""
    plain_step_s: float | None
    """A step without the profiler; None for a trace that is not ours."""
    step_by: str
    attributed_s: float
    unattributed: tuple[Portion, ...]
    targets: tuple[Target, ...]
    kernels: tuple[Portion, ...]
    breakdown: tuple[Portion, ...]
    """torch-tb-profiler's, exclusive, in its order; empty without that package."""
    waits: tuple[Wait, ...]
    copies: tuple[Copy, ...]
    zeroing: Portion
    """Filling gradients with zeros inside `zero_grad`."""
    optimizer: tuple[Portion, ...]
    """Operators of the optimizer's step, outermost ones."""
    loader: str
    """`single`, `workers` or nothing: what kind of DataLoader was iterated."""
    device: DeviceUse | None
    run: Mapping[str, Any]
    """What the recording process said (outpace_audit.profiling.facts); empty for a trace that is not ours."""
    notes: tuple[str, ...] = ()
    attention: tuple[Attention, ...] = ()
    recomputed: Recomputation | None = None
    timeline: Timeline | None = None

    @property
    def of_nobody(self) -> tuple[Portion, ...]:
        """What belongs to no code and is worth a line."""
        return tuple(one for one in self.unattributed if self.share(one.seconds) >= VISIBLE)

    def at_stake(self, target: Target) -> float:
        """Seconds of the step that would be gone if the target took no time."""
        return target.own_s if target.around else target.seconds

    @property
    def idle_s(self) -> float:
        """Of the device; all of the step where there is none."""
        return max(0.0, self.step_s - self.device.busy_s) if self.device is not None else self.step_s

    def removable(self, device_s: float, host_s: float) -> float:
        """The most that a step loses with work of the device and of the host: while the one works, the other's costs
        nothing, but without it what follows is done ahead, and time in which the device was idle elsewhere is saved."""
        if self.device is None:
            return min(max(device_s, host_s), self.step_s)
        return min(device_s + min(host_s, self.idle_s), self.step_s)

    def removable_of(self, target: Target) -> float:
        return max(target.seconds, self.removable(target.device_s, target.host_s))

    def share(self, seconds: float) -> float:
        return seconds / self.step_s if self.step_s else 0.0
