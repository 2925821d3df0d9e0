"""A SOL-ExecBench problem folder (definition.json and workload.jsonl) as a target.

The data set's licence is unsettled: nothing of it is kept here; a folder in its format is read where it lies.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

from outpace_audit.errors import TargetError, WorkloadError
from outpace_audit.records import ArgSpec, Code, Workload, content_id
from outpace_optimizers.records import Device, Target
from outpace_optimizers.targets.sol_definition import Definition, read_definition
from outpace_optimizers.targets.sol_roles import input_law, scalar_value
from outpace_optimizers.targets.sol_sizes import Axes, Sizes, find_relations, shrink, spread
from outpace_optimizers.targets.sol_stored import stored_file, stored_law
from outpace_optimizers.targets.sol_workloads import RawWorkload, read_workloads

FEW = 3
"""Workloads that are taken unless all are asked for: the smallest, the median and the largest, or by hash."""

Sized = tuple[RawWorkload, Axes]
"""A workload and the variable axes that it will run with."""


def is_problem_folder(path: Path) -> bool:
    return (path / "definition.json").is_file() or (path / "workload.jsonl").is_file()


@dataclass(frozen=True, slots=True)
class Problem:
    """A folder as it was read. `lines` are those of the target's workloads, in their order."""

    definition: Definition
    target: Target
    lines: tuple[RawWorkload, ...]


def load_problem_folder(
    folder: Path, name: str | None, device: Device, workload_limit: int | None = FEW, *, by_hash: bool = False
) -> Problem:
    """`by_hash`: of more workloads than the limit, those that a hash of their ids names; sizes have no say."""
    definition = read_definition(folder / "definition.json")
    if name not in (None, "run", definition.name):
        raise TargetError(f"{folder}: no target {name!r}; a SOL-ExecBench problem has one, its reference's run")
    raw, notes = read_workloads(folder / "workload.jsonl", definition)
    if not raw:
        raise WorkloadError(f"{folder / 'workload.jsonl'}: holds no workload")
    _check_axes(definition, raw, folder / "workload.jsonl")
    chosen, size_notes = _choose(definition, raw, device, workload_limit, by_hash)
    workloads = _label([_workload(definition, item, axes) for item, axes in chosen], [item for item, _ in chosen])
    code = Code(str((folder / "reference.py").absolute()), definition.reference, "run", "function")
    target = Target(code, workloads, (*definition.notes, *notes, *size_notes))
    return Problem(definition, target, tuple(item for item, _ in chosen))


def _check_axes(definition: Definition, raw: list[RawWorkload], file: Path) -> None:
    for item in raw:
        try:
            definition.resolve(item.variables)
        except WorkloadError as error:
            raise WorkloadError(f"{file}:{item.line}: axes: {error}") from error


def _choose(
    definition: Definition, raw: list[RawWorkload], device: Device, limit: int | None, by_hash: bool
) -> tuple[list[Sized], list[str]]:
    """Of those that this device can hold, by declared bytes or by hash; the smallest first."""
    sizes = Sizes(definition)
    notes: list[str] = []
    missing = {item.line: file for item in raw if (file := _missing(definition.file.parent, item)) is not None}
    usable = [item for item in raw if item.line not in missing]
    if missing:
        skipped = f"{len(missing)} of {len(raw)} workloads skipped"
        what = f"inputs from safetensors files that are not there, such as {next(iter(missing.values()))}"
        notes.append(f"{skipped}: {what}; put them below the problem's folder or one above it")
    if not usable:
        raise WorkloadError(f"{definition.file.parent}: no workload can run here: {'; '.join(notes)}")
    if device == "cuda":
        sized, memory_notes = _fitting(sizes, usable)
        notes += memory_notes
    else:
        relations = find_relations([item.variables for item in raw])
        links = _scalar_links(definition, raw)
        sized = _merged(
            [
                (item, item.variables) if item.files else _shrunk(item, shrink(sizes, relations, item.variables), links)
                for item in usable
            ]
        )
    if by_hash:
        sized = sorted(sized, key=lambda pair: _rank(definition, pair[0]))[:limit]
    sized.sort(key=lambda pair: (sizes.total_bytes(pair[1]), pair[0].line))
    chosen = sized if by_hash else [sized[index] for index in spread(len(sized), limit)]
    if len(chosen) < len(raw):
        how = "chosen by a hash of their ids" if by_hash else "from the smallest to the largest"
        notes.append(f"{len(chosen)} of {len(raw)} workloads taken, {how}")
    return chosen, [*notes, *_cpu_notes(sizes, chosen, device)]


def _missing(folder: Path, item: RawWorkload) -> str | None:
    """A file that the workload needs and that is nowhere to be found."""
    return next((one.path for one in item.files.values() if stored_file(folder, one.path) is None), None)


def _rank(definition: Definition, item: RawWorkload) -> str:
    return hashlib.sha256(f"{definition.name}/{item.uuid}/{item.line}".encode()).hexdigest()


def _fitting(sizes: Sizes, usable: list[RawWorkload]) -> tuple[list[Sized], list[str]]:
    """Those that fit one GPU; where none does, the smallest, with a warning."""
    fitting: list[Sized] = [(item, item.variables) for item in usable if sizes.fits_cuda(item.variables)]
    if not fitting:
        smallest = min(usable, key=lambda item: sizes.total_bytes(item.variables))
        gib = sizes.total_bytes(smallest.variables) / (1 << 30)
        return [(smallest, smallest.variables)], [f"even the smallest workload moves {gib:.1f} GiB: memory may run out"]
    skipped = len(usable) - len(fitting)
    return fitting, [f"{skipped} of {len(usable)} workloads skipped: too large for one GPU"] if skipped else []


def _scalar_links(definition: Definition, raw: list[RawWorkload]) -> dict[str, str]:
    """Scalar inputs that repeat a variable axis in every workload: they follow it when it is made smaller."""
    links: dict[str, str] = {}
    for tensor in definition.inputs:
        for axis in definition.variables:
            pairs = {(item.scalars.get(tensor.name), item.variables[axis]) for item in raw}
            told = len(pairs) > 1 or tensor.name.startswith(axis)
            if told and all(type(scalar) is int and scalar == size for scalar, size in pairs):
                links[tensor.name] = axis
    return links


def _shrunk(item: RawWorkload, axes: Axes, links: dict[str, str]) -> Sized:
    scalars = {name: axes[links[name]] if name in links else value for name, value in item.scalars.items()}
    return replace(item, scalars=scalars), axes


def _merged(sized: list[Sized]) -> list[Sized]:
    """Without those that shrinking made equal; one that is as given wins over a shrunk one."""
    kept: dict[str, Sized] = {}
    for item, axes in sorted(sized, key=lambda pair: pair[0].variables != pair[1]):
        kept.setdefault(
            content_id(axes, {k: repr(v) for k, v in item.scalars.items()}, item.custom, _paths(item)), (item, axes)
        )
    return list(kept.values())


def _paths(item: RawWorkload) -> dict[str, str]:
    return {name: f"{stored.path}:{stored.key}" for name, stored in item.files.items()}


def _cpu_notes(sizes: Sizes, chosen: list[Sized], device: Device) -> list[str]:
    if device == "cuda":
        return []
    changes = [text for item, axes in chosen if (text := _change(item.variables, axes))]
    notes = [f"workloads made smaller for the CPU: {'; '.join(changes)}"] if changes else []
    large = max(sizes.total_bytes(axes) for _, axes in chosen)
    if large > 1 << 30:
        notes.append(f"a call moves {large / (1 << 30):.1f} GiB that cannot be made smaller (constant axes)")
    return notes


def _change(before: Axes, after: Axes) -> str:
    return ", ".join(f"{name} {before[name]} -> {after[name]}" for name in before if before[name] != after[name])


def _workload(definition: Definition, item: RawWorkload, variables: Axes) -> Workload:
    axes = definition.resolve(variables)
    return Workload(
        label=" ".join(f"{name}={size}" for name, size in variables.items()) or "fixed sizes",
        maker="custom" if item.custom else "laws",
        origin="benchmark",
        args=tuple(_args(definition, item, axes)),
        entry=definition.custom_entry if item.custom else None,
        axes=axes,
        shrunk_from=dict(item.variables) if variables != item.variables else None,
    )


def _args(definition: Definition, item: RawWorkload, axes: Axes) -> list[ArgSpec]:
    args: list[ArgSpec] = []
    for tensor in definition.inputs:
        shape = tensor.resolve(axes)
        if tensor.name in item.scalars:
            value = item.scalars[tensor.name]
            sent = value if math.isfinite(value) else repr(float(value))  # JSON has no word for it
            args.append(ArgSpec(tensor.name, None, tensor.dtype, value=sent))
        elif item.custom:
            args.append(ArgSpec(tensor.name, shape, tensor.dtype))
        elif shape is not None and tensor.name in item.files:
            law = stored_law(definition.file.parent, item.files[tensor.name], tensor.dtype, shape)
            args.append(ArgSpec(tensor.name, shape, tensor.dtype, law))
        elif shape is None:
            args.append(ArgSpec(tensor.name, None, tensor.dtype, value=scalar_value(tensor, item.uuid)))
        else:
            args.append(ArgSpec(tensor.name, shape, tensor.dtype, input_law(tensor, shape, definition.op_type)))
    return args


def _label(workloads: list[Workload], items: list[RawWorkload]) -> tuple[Workload, ...]:
    """Labels made unique: equal axes with other scalars get the workload's line."""
    labels = [workload.label for workload in workloads]
    return tuple(
        replace(workload, label=f"{workload.label} #{item.line}") if labels.count(workload.label) > 1 else workload
        for workload, item in zip(workloads, items, strict=True)
    )
