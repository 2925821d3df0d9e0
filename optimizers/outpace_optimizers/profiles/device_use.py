"""How well the accelerator was used: how long it was busy, with what, and how much of it. Per step."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable

from outpace_optimizers.profiles.attribution import MICROSECONDS
from outpace_optimizers.profiles.devices import Activity, Busy, busy_stretches
from outpace_optimizers.profiles.findings import Recorded, steps_optimizer
from outpace_optimizers.profiles.hosts import Node
from outpace_optimizers.profiles.records import DeviceUse

MATMULS = frozenset(
    f"aten::{name}"
    for name in ("mm", "addmm", "bmm", "baddbmm", "_addmm_activation", "cudnn_convolution", "convolution_backward")
)
PRECISIONS = {"float": "float32", "double": "float64", "c10::BFloat16": "bfloat16", "c10::Half": "float16"}
FUSED = "aten::_scaled_dot_product_"
TF32 = ("tf32", "s1688gemm")
"""In names of kernels: cutlass names its own by the instruction."""
FILLING = 0.5
"""Blocks per multiprocessor. Kernels that schedule themselves launch about one; far fewer leave most of them idle."""


def device_use(recorded: Recorded) -> DeviceUse | None:
    """None where nothing ran on an accelerator."""
    launched = recorded.on_device("kernel")
    if not launched:
        return None
    stretches = busy_stretches(recorded.activities, recorded.start, recorded.end)
    matmul: dict[str, float] = defaultdict(float)
    parts: dict[str, float] = defaultdict(float)
    for one in launched:
        seconds = recorded.per_step(one.end - one.start)
        product, precision = _product(one.launch)
        if precision and product in MATMULS:
            matmul[precision] += seconds
        parts[_part(one, product, precision)] += seconds
    sparse = [(one, blocks) for one in launched if (blocks := _blocks(one)) is not None and blocks < FILLING]
    return DeviceUse(
        busy_s=_length(recorded, stretches),
        kernels=len(launched) / recorded.steps,
        median_kernel_s=statistics.median(one.end - one.start for one in launched) * MICROSECONDS,
        matmul_s=dict(matmul),
        tf32_kernels=parts["tf32 gemm"] > 0,
        communication_s=recorded.per_step(sum(one.end - one.start for one in launched if one.communicates)),
        exposed_s=_length(recorded, (one for one in stretches if all(each.communicates for each in one.running))),
        sparse_s=recorded.per_step(sum(one.end - one.start for one, _ in sparse)),
        unfilled_s=recorded.per_step(sum((one.end - one.start) * (1 - blocks) for one, blocks in sparse)),
        tf32_s=parts["tf32 gemm"] + parts["tf32 convolution"],
        gemm_s=parts["gemm"],
        convolution_s=parts["convolution"],
        fused_s=parts["fused"],
        other_s=parts["other"],
    )


def _length(recorded: Recorded, stretches: Iterable[Busy]) -> float:
    return recorded.per_step(sum(one.end - one.start for one in stretches))


def _blocks(one: Activity) -> float | None:
    """Per multiprocessor, of a kernel that does more the more there is in a batch; None for others."""
    if one.communicates or (one.launch is not None and steps_optimizer(one.launch.rows)):
        return None
    blocks = (one.event.get("args") or {}).get("blocks per SM")
    return float(blocks) if isinstance(blocks, (int, float)) else None


def _part(one: Activity, product: str, precision: str) -> str:
    """What kind of work a kernel is; nothing for what no change of its precision or its neighbours makes shorter."""
    if one.communicates or (one.launch is not None and steps_optimizer(one.launch.rows)):
        return ""
    if not product:
        return "other"
    if precision != "float32":
        return ""
    if product.startswith(FUSED):
        return "fused"
    kind = "convolution" if "convolution" in product else "gemm"
    return f"tf32 {kind}" if any(part in one.name for part in TF32) else kind


def _product(launch: Node | None) -> tuple[str, str]:
    """The product, or fused attention, that a kernel belongs to, and of what precision; nothing for other kernels."""
    node = launch
    while node is not None and node.category != "python_function":
        if node.name in MATMULS or node.name.startswith(FUSED):
            return node.name, _precision((node.event.get("args") or {}).get("Input type") or ())
        node = node.parent
    return "", ""


def _precision(types: Iterable[str]) -> str:
    return next((PRECISIONS[one] for one in types if one in PRECISIONS), "")
