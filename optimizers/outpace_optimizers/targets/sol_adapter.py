"""A SOL-ExecBench entry as a candidate: a function that is called like the reference, and calls the entry's own way."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from outpace_audit.errors import WorkloadError
from outpace_audit.records import Idea, NewFile, Patch
from outpace_optimizers.source import base_hash
from outpace_optimizers.targets.sol_definition import Definition, TensorField
from outpace_optimizers.targets.sol_execbench import Problem
from outpace_optimizers.targets.sol_expressions import expression_names
from outpace_optimizers.targets.sol_solution import Solution

FILE = "outpace_entry.py"
"""Where the adapter would stand in the problem's folder; it is never written there."""

HEAD = '''"""Calls the entry {name} as the benchmark does. Written by outpace, beside the entry's own files."""

import importlib

import torch as _torch

_entry = importlib.import_module({module!r}).{function}


def run({parameters}):
'''


def solution_idea(problem: Problem, solution: Solution) -> Idea:
    """The entry as one idea: a new file, with the entry's own beside it."""
    source = adapter(problem, solution)
    code = problem.target.code
    path = str(Path(code.path).with_name(FILE))
    files = tuple(NewFile(name, text) for name, text in solution.files.items())
    patch = Patch(path, base_hash(code.source), source, (), files)
    return Idea("solution", solution.name, f"an entry by {solution.author}", "tolerant", patch)


def adapter(problem: Problem, solution: Solution) -> str:
    definition = problem.definition
    names = [tensor.name for tensor in definition.inputs]
    head = HEAD.format(
        name=solution.name.replace("\\", "").replace('"""', ""),
        module=solution.module,
        function=solution.entry_function,
        parameters=", ".join(names),
    )
    body = _destination(problem, names) if solution.destination_passing else _returning(definition, names)
    return head + "".join(f"    {line}\n" if line else "\n" for line in body)


def _returning(definition: Definition, names: list[str]) -> list[str]:
    outputs = [tensor.name for tensor in definition.outputs]
    return [
        f"_returned = _entry({', '.join(names)})",
        "if isinstance(_returned, dict):",
        f"    _returned = [_returned[_name] for _name in {outputs!r}]",
        "elif not isinstance(_returned, (tuple, list)):",
        "    _returned = [_returned]",
        f"return {_result(definition, '_returned')}",
    ]


def _destination(problem: Problem, names: list[str]) -> list[str]:
    """Outputs are not filled before: the benchmark's are zeros, which an entry should not rely on."""
    definition = problem.definition
    first = next((tensor.name for tensor in definition.inputs if tensor.shape is not None), None)
    if first is None:
        raise WorkloadError(f"{definition.file}: no input is a tensor, so nothing says on which device outputs are")
    lines = _axes(problem)
    lines.append("_outputs = [")
    for tensor in definition.outputs:
        lines.append(f"    _torch.empty({_shape(definition, tensor)}, dtype={_dtype(tensor)}, device={first}.device),")
    lines += ["]", f"_entry({', '.join(names)}, *_outputs)", f"return {_result(definition, '_outputs')}"]
    return lines


def _axes(problem: Problem) -> list[str]:
    """Lines that find every axis of the outputs: in an input's shape, or from other axes by its expression."""
    definition = problem.definition
    shown = {
        dim: f"{tensor.name}.shape[{i}]"
        for tensor in reversed(definition.inputs)
        for i, dim in enumerate(tensor.shape or ())
        if not dim.isdecimal()
    }
    known = {name: str(size) for name, size in definition.constants.items()}
    hidden: list[str] = []
    lines: dict[str, str] = {}

    def find(name: str) -> None:
        if name in lines or name in hidden or name.isdecimal():
            return
        expression = definition.expressions.get(name)
        value = known.get(name) or shown.get(name)
        if value is None and expression is None:
            hidden.append(name)
            return
        if value is None and expression is not None:
            for other in sorted(expression_names(expression)):
                find(other)
            value = f"int({_expression(expression)})"
        lines[name] = f"_axes[{name!r}] = {value}"

    for tensor in definition.outputs:
        for dim in tensor.shape or ():
            find(dim)
    return ["_axes = {}", *_hidden_axes(problem, shown, hidden), *lines.values()]


def _hidden_axes(problem: Problem, shown: Mapping[str, str], hidden: Sequence[str]) -> list[str]:
    """Axes that no input's shape shows are looked up by those that are: only the workloads' own sizes are known."""
    if not hidden:
        return []
    table: dict[tuple[int, ...], tuple[int, ...]] = {}
    for workload in problem.target.workloads:
        key = tuple(workload.axes[name] for name in shown)
        values = tuple(workload.axes[name] for name in hidden)
        if table.setdefault(key, values) != values:
            raise WorkloadError(
                f"{problem.definition.file}: no input's shape shows the axis {hidden[0]}, and two workloads of the "
                "same input shapes differ in it: an entry that is given its outputs cannot be judged on both"
            )
    return [f"_axes.update(zip({list(hidden)!r}, {table!r}[({''.join(f'{place}, ' for place in shown.values())})]))"]


def _expression(text: str) -> str:
    class Lookup(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(f"_axes[{node.id!r}]", mode="eval").body

    return ast.unparse(Lookup().visit(ast.parse(text, mode="eval")))


def _shape(definition: Definition, tensor: TensorField) -> str:
    if tensor.shape is None:
        raise WorkloadError(
            f"{definition.file}: output {tensor.name} is a Python scalar, which nobody can write into: an entry for it "
            "has to return its outputs (destination_passing_style false)"
        )
    return f"({''.join(f'{dim}, ' if dim.isdecimal() else f'_axes[{dim!r}], ' for dim in tensor.shape)})"


def _dtype(tensor: TensorField) -> str:
    return f"_torch.{'float4_e2m1fn_x2' if tensor.dtype == 'float4_e2m1' else tensor.dtype}"


def _result(definition: Definition, outputs: str) -> str:
    """As the reference returns them: a dict where it writes one down, else a tuple, or the only one by itself."""
    returned = _returns(definition.reference)
    names = [tensor.name for tensor in definition.outputs]
    if any(isinstance(value, ast.Dict) for value in returned):
        return f"dict(zip({names!r}, {outputs}))"
    if len(names) > 1 or any(isinstance(value, (ast.Tuple, ast.List)) for value in returned):
        return f"tuple({outputs})"
    return f"{outputs}[0] if len({outputs}) == 1 else tuple({outputs})"


def _returns(reference: str) -> list[ast.expr]:
    """Of `run` itself, not of functions inside it."""
    run = next(node for node in ast.parse(reference).body if isinstance(node, ast.FunctionDef) and node.name == "run")
    found: list[ast.expr] = []
    waiting: list[ast.AST] = list(run.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            found.append(node.value)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
    return found
