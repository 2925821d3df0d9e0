"""SOL-ExecBench's definition.json: its records and the checks that its own validators make."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_audit.errors import SourceError, WorkloadError
from outpace_optimizers.targets.json_fields import Fields, read_json
from outpace_optimizers.targets.sol_expressions import evaluate, expression_names
from outpace_optimizers.targets.source_text import parse_source

ITEM_BYTES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1,
    "float4_e2m1": 1, "float4_e2m1fn_x2": 1, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "bool": 1,
}  # fmt: skip
"""Bytes per element; the fp4 shapes of the published set already count packed bytes."""
KNOWN = frozenset({
    "name", "op_type", "description", "hf_id", "axes", "inputs", "outputs", "reference",
    "custom_inputs_entrypoint",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorField:
    """One input or output; `shape` None is a Python scalar, entries are axis names or digit strings."""

    name: str
    shape: tuple[str, ...] | None
    dtype: str
    description: str

    def resolve(self, axes: Mapping[str, int]) -> tuple[int, ...] | None:
        if self.shape is None:
            return None
        return tuple(int(dim) if dim.isdecimal() else axes[dim] for dim in self.shape)


@dataclass(frozen=True, slots=True)
class Definition:
    """A problem. Axes are kept by kind; `expressions` are in declaration order."""

    file: Path
    name: str
    op_type: str
    constants: dict[str, int]
    variables: tuple[str, ...]
    expressions: dict[str, str]
    inputs: tuple[TensorField, ...]
    outputs: tuple[TensorField, ...]
    reference: str
    custom_entry: str | None
    notes: tuple[str, ...]

    def resolve(self, variables: Mapping[str, int]) -> dict[str, int]:
        """All axes of one workload: constants, variables, then expressions; none may be negative."""
        axes = {**self.constants, **variables}
        for name, text in self.expressions.items():
            axes[name] = evaluate(text, axes)
            if axes[name] < 0:
                raise WorkloadError(f"axis {name} = {text} is {axes[name]}; sizes cannot be negative")
        return axes

    def varying(self) -> frozenset[str]:
        """Axes that depend on a variable."""
        found = set(self.variables)
        for name, text in self.expressions.items():
            if expression_names(text) & found:
                found.add(name)
        return frozenset(found)


def read_definition(file: Path) -> Definition:
    fields = Fields(read_json(file), str(file), "")
    inputs = _tensors(fields.child("inputs"))
    outputs = _tensors(fields.child("outputs"))
    constants, variables, expressions = _axes(fields.child("axes"))
    definition = Definition(
        file=file,
        name=fields.text("name"),
        op_type=fields.optional_text("op_type") or "",
        constants=constants,
        variables=variables,
        expressions=expressions,
        inputs=inputs,
        outputs=outputs,
        reference=fields.text("reference"),
        custom_entry=fields.optional_text("custom_inputs_entrypoint"),
        notes=fields.unknown(KNOWN),
    )
    _check_names(definition, fields)
    _check_reference(definition, fields)
    return definition


def _axes(fields: Fields) -> tuple[dict[str, int], tuple[str, ...], dict[str, str]]:
    constants: dict[str, int] = {}
    variables: list[str] = []
    expressions: dict[str, str] = {}
    for name in fields.data:
        axis = fields.child(name)
        kind = axis.text("type")
        if kind == "const":
            constants[name] = axis.size("value")
        elif kind == "var":
            variables.append(name)
        elif kind == "expr":
            expressions[name] = axis.text("expression")
        else:
            raise axis.error("type", f"{kind!r} is none of const, var, expr")
    known = {*constants, *variables}
    for name, text in expressions.items():
        try:
            missing = expression_names(text) - known
        except WorkloadError as error:
            raise fields.error(f"{name}.expression", str(error)) from error
        if missing:
            raise fields.error(f"{name}.expression", f"uses {', '.join(sorted(missing))}, which is no earlier axis")
        known.add(name)
    return constants, tuple(variables), expressions


def _tensors(fields: Fields) -> tuple[TensorField, ...]:
    return tuple(_tensor(name, fields.child(name)) for name in fields.data)


def _tensor(name: str, fields: Fields) -> TensorField:
    dtype = fields.text("dtype")
    if dtype not in ITEM_BYTES:
        raise fields.error("dtype", f"{dtype!r} is none of {', '.join(ITEM_BYTES)}")
    if "shape" not in fields.data:
        raise fields.error("shape", "missing; a list of axis names, or null for a Python scalar")
    raw: Any = fields.data["shape"]
    shape: tuple[str, ...] | None = None
    if raw is not None:
        if not isinstance(raw, list) or not all(isinstance(dim, str) for dim in raw):
            raise fields.error("shape", "must be null or a list of axis names and digit strings")
        shape = tuple(raw)
    return TensorField(name, shape, dtype, fields.optional_text("description") or "")


def _check_names(definition: Definition, fields: Fields) -> None:
    axes = {*definition.constants, *definition.variables, *definition.expressions}
    names = {tensor.name for tensor in definition.inputs}
    if clash := names & axes:
        raise fields.error("inputs", f"{', '.join(sorted(clash))}: name of an input and of an axis")
    if clash := names & {tensor.name for tensor in definition.outputs}:
        raise fields.error("outputs", f"{', '.join(sorted(clash))}: name of an input and of an output")
    for part, tensors in (("inputs", definition.inputs), ("outputs", definition.outputs)):
        for tensor in tensors:
            for dim in tensor.shape or ():
                if dim not in axes and not dim.isdecimal():
                    raise fields.error(f"{part}.{tensor.name}.shape", f"unknown axis {dim!r}")


def _check_reference(definition: Definition, fields: Fields) -> None:
    try:
        tree = parse_source(definition.reference, "reference")
    except SourceError as error:
        raise fields.error("reference", str(error)) from error
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "run" not in functions:
        raise fields.error("reference", "has no top-level function run")
    spec = functions["run"].args
    parameters = [arg.arg for arg in [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]]
    names = [tensor.name for tensor in definition.inputs]
    if parameters != names:
        raise fields.error("reference", f"run({', '.join(parameters)}) does not match the inputs ({', '.join(names)})")
    if definition.custom_entry is not None and definition.custom_entry not in functions:
        raise fields.error("custom_inputs_entrypoint", f"the reference has no function {definition.custom_entry!r}")
