"""Targets from a captured run: any function or module of the project that the run called with what can be repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from outpace_audit.encoding import main_names
from outpace_audit.errors import TargetError
from outpace_audit.records import ArgSpec, Captured, Code, Law, Workload
from outpace_optimizers.captures import CapturedTarget
from outpace_optimizers.records import Target
from outpace_optimizers.targets.captured_laws import law_of, varies

WORKLOADS = 3
"""The most frequent ones. Each costs every process pair its time."""


def target_of(found: CapturedTarget, source: str, path: Path) -> Target:
    """Raises TargetError where the run's calls cannot be repeated."""
    if found.trouble is not None:
        raise TargetError(f"{path}: {found.name} was captured, but cannot be called again: {found.trouble}")
    chosen = _chosen(found.workloads)
    # One module is built and called one way; what was called another way is another question.
    first = chosen[0]
    alike = [one for one in chosen if one["autocast"] == first["autocast"] and one["gradients"] == first["gradients"]]
    captured = Captured(
        constructor=None if found.constructor is None else tuple(found.constructor),
        dtype=found.dtype,
        autocast=first["autocast"],
        script=found.script,
        globals=found.globals,
        names=tuple(sorted({name for one in alike for name in main_names(one["structure"])})),
    )
    code = Code(
        path=str(path.absolute()),
        source=source,
        symbol=found.name,
        kind="module" if found.kind == "module" else "function",
        captured=captured,
    )
    workloads = tuple(_workload(one, label) for one, label in zip(alike, _labels(alike), strict=True))
    calls = tuple(int(one["calls"]) for one in alike)
    notes = (f"workloads captured from {found.command}: {len(workloads)} of {len(found.workloads)}, the most frequent",)
    return Target(code, workloads, notes, inference=not first["gradients"], calls=calls)


def _chosen(workloads: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Calls that asked for gradients before others: where a script both trains and evaluates, training costs more. None
    whose inputs could only be constants, such as one start token, where there are others."""
    ranked = sorted(workloads, key=lambda one: (not one["gradients"], -one["calls"]))
    return ([one for one in ranked if _drawn(one)] or ranked)[:WORKLOADS]


def _drawn(seen: Mapping[str, Any]) -> bool:
    return any(_varies(arg) or "float" in (arg.dtype or "") for arg in _arguments(seen))


def _varies(arg: ArgSpec) -> bool:
    """Sorted numbers keep their ends, and two are nothing else."""
    ends = arg.law is not None and arg.law.kind == "sorted_integers" and arg.shape is not None and arg.shape[-1] <= 2
    return arg.law is not None and varies(arg.law) and not ends


def _arguments(seen: Mapping[str, Any]) -> list[ArgSpec]:
    return [_argument(tensor, [sample[i] for sample in seen["samples"]]) for i, tensor in enumerate(seen["tensors"])]


def _workload(seen: Mapping[str, Any], label: str) -> Workload:
    args = _arguments(seen)
    if not any(_varies(arg) for arg in args):
        args = [_set_free(arg) for arg in args]
    return Workload(label, "captured", "captured", tuple(args), structure=seen["structure"])


def _argument(tensor: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> ArgSpec:
    shape, stride = tuple(tensor["shape"]), tuple(tensor["stride"])
    return ArgSpec(
        tensor["name"],
        shape,
        tensor["dtype"],
        law_of(samples, tensor["dtype"]),
        stride=None if stride == contiguous(shape) else stride,
        requires_grad=tensor["requires_grad"],
    )


def _set_free(arg: ArgSpec) -> ArgSpec:
    """All inputs were constants: the floating ones are drawn, so that a result can be told from a remembered one."""
    return replace(arg, law=Law("normal")) if "float" in (arg.dtype or "") else arg


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _labels(workloads: Sequence[Mapping[str, Any]]) -> list[str]:
    """No two alike: where tensors do not tell calls apart, plain arguments do, else their rank."""
    labels = [_label(one) for one in workloads]
    told = _told_apart(labels, [_plain_arguments(one) for one in workloads])
    return _told_apart(told, [f"#{rank}" for rank in range(1, len(told) + 1)])


def _told_apart(labels: Sequence[str], additions: Sequence[str]) -> list[str]:
    return [
        f"{label}, {more}" if more and labels.count(label) > 1 else label
        for label, more in zip(labels, additions, strict=True)
    ]


def _plain_arguments(seen: Mapping[str, Any]) -> str:
    """`8, None, causal=True`: the arguments that are no tensors and hold none."""
    plain = (int, float, str, type(None))
    structure = seen["structure"]
    by_place = [repr(value) for value in structure["positional"] if isinstance(value, plain)]
    by_name = [f"{name}={value!r}" for name, value in structure["keywords"].items() if isinstance(value, plain)]
    return ", ".join([*by_place, *by_name])


def _label(seen: Mapping[str, Any]) -> str:
    """`x 8x64x96, mask 64x64 bool`: names, shapes, and dtypes other than float32."""
    parts: list[str] = []
    for tensor in seen["tensors"]:
        dtype = "" if tensor["dtype"] == "float32" else f" {tensor['dtype']}"
        parts.append(f"{tensor['name']} {'x'.join(map(str, tensor['shape'])) or 'scalar'}{dtype}")
    return ", ".join(parts)
