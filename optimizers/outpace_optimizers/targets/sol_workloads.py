"""SOL-ExecBench's workload.jsonl: one JSON object a line, checked as its own validators do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_optimizers.targets.json_fields import Fields, parse_object, read_text
from outpace_optimizers.targets.sol_definition import Definition
from outpace_optimizers.targets.sol_stored import Stored

TOLERANCE = frozenset({"max_atol", "max_rtol", "required_matched_ratio", "max_error_cap", "allow_negative_inf"})
KNOWN = frozenset({"uuid", "axes", "inputs", "tolerance"})


@dataclass(frozen=True, slots=True)
class RawWorkload:
    """One line: `variables` are the var axes; `scalars` the inputs with a fixed Python value."""

    line: int
    uuid: str
    variables: dict[str, int]
    scalars: dict[str, bool | int | float]
    files: dict[str, Stored]
    """Inputs that come from safetensors files."""
    custom: bool
    data: dict[str, Any]
    """The whole object, as a trace repeats it."""


def read_workloads(file: Path, definition: Definition) -> tuple[list[RawWorkload], list[str]]:
    """All workloads, and notes about what was ignored."""
    raw: list[RawWorkload] = []
    ignored: Counter[str] = Counter()
    for number, text in enumerate(read_text(file).split("\n"), start=1):
        if text.strip():
            where = f"{file}:{number}"
            raw.append(_workload(Fields(parse_object(text, where), where, ""), number, definition, ignored))
    return raw, [f"{file.name}: {note} ({count} of {len(raw)} workloads)" for note, count in ignored.items()]


def _workload(fields: Fields, line: int, definition: Definition, ignored: Counter[str]) -> RawWorkload:
    ignored.update(f"unknown key {key} ignored" for key in fields.data if key not in KNOWN)
    axes = fields.child("axes")
    variables = {name: axes.size(name) for name in definition.variables}
    ignored.update(f"axis {name} ignored: it is no var axis" for name in axes.data if name not in variables)
    names = {tensor.name for tensor in definition.inputs}
    inputs = fields.child("inputs") if "inputs" in fields.data else Fields({}, fields.where, "inputs")
    ignored.update(f"input {name} ignored: the definition has none" for name in inputs.data if name not in names)
    kinds = {name: _kind(inputs.child(name)) for name in inputs.data if name in names}
    shaped = {tensor.name for tensor in definition.inputs if tensor.shape is not None}
    for name, kind in kinds.items():
        if kind == "scalar" and name in shaped:
            raise inputs.error(name, "a scalar, but the definition gives it a shape")
        if kind == "safetensors" and name not in shaped:
            raise inputs.error(name, "a tensor of a file, but the definition gives it no shape")
    custom = "custom" in kinds.values()
    if custom and set(kinds.values()) != {"custom"}:
        raise inputs.error(next(n for n, k in kinds.items() if k != "custom"), "if one input is custom, all must be")
    if custom and definition.custom_entry is None:
        raise fields.error("inputs", "custom, but the definition has no custom_inputs_entrypoint")
    _check_tolerance(fields, ignored)
    return RawWorkload(
        line=line,
        uuid=fields.text("uuid"),
        variables=variables,
        scalars={name: inputs.data[name]["value"] for name, kind in kinds.items() if kind == "scalar"},
        files={name: _stored(inputs.child(name)) for name, kind in kinds.items() if kind == "safetensors"},
        custom=custom,
        data=fields.data,
    )


def _kind(fields: Fields) -> str:
    kind = fields.text("type")
    if kind == "scalar":
        value: Any = fields.data.get("value")
        if not isinstance(value, (bool, int, float)):
            raise fields.error("value", "must be a number or a boolean")
    elif kind not in ("random", "safetensors", "custom"):
        raise fields.error("type", f"{kind!r} is none of random, scalar, safetensors, custom")
    return kind


def _stored(fields: Fields) -> Stored:
    return Stored(fields.text("path"), fields.text("tensor_key"))


def _check_tolerance(fields: Fields, ignored: Counter[str]) -> None:
    """Tolerances are not used (truth and the baseline's own error decide); misspelt keys are worth a note."""
    if fields.data.get("tolerance") is None:
        return
    for key in fields.child("tolerance").data:
        if key == "required_match_ratio":
            ignored["tolerance.required_match_ratio is a misspelling that NVIDIA's own loader ignores too"] += 1
        elif key not in TOLERANCE:
            ignored[f"unknown key tolerance.{key} ignored"] += 1
