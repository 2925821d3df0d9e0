"""Items of audit/corpus as entries of two public harnesses: KernelBench and SOL-ExecBench.

What a harness cannot express is left out, with the reason, and counted: KernelBench compares one tensor, and casts
every input to one floating type. Neither differentiates, so that gradients are looked at by none.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from corpus_items import Item
from naive_timing import load

from outpace_audit.records import Code
from outpace_optimizers.targets.python_file import load_python_file

FLOATS = (torch.float32, torch.float16, torch.bfloat16)
"""The precisions that KernelBench knows."""


class NotExpressibleError(ValueError):
    """The harness has no words for this target."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline, and one call of it on the CPU: its arguments and what it returned."""

    code: Code
    arguments: tuple[Any, ...]
    returned: tuple[Any, ...]

    @property
    def is_module(self) -> bool:
        return self.code.kind == "module"

    @property
    def init(self) -> str:
        """The constructor's arguments, as an expression in the baseline's namespace."""
        return f"*{self.code.init_entry}()" if self.code.init_entry else ""


def read_baseline(item: Item) -> Baseline:
    """Runs the baseline once. Raises NotExpressibleError."""
    code = load_python_file(item.baseline_path, None).code
    module = load(item.baseline_path, "baseline")
    torch.manual_seed(0)
    arguments = tuple(module.get_inputs())
    target = getattr(module, code.symbol)
    if code.kind == "module":
        target = target(*(getattr(module, code.init_entry)() if code.init_entry else ()))
    returned = target(*arguments)
    outputs = tuple(returned) if isinstance(returned, tuple | list) else (returned,)
    return Baseline(code, arguments, outputs)


# KernelBench


def kernelbench_entry(item: Item, baseline: Baseline) -> dict[str, str]:
    """The texts of `Model` and `ModelNew`, and the precision that everything is cast to. Raises NotExpressibleError."""
    precision = _precision(baseline)
    original = item.baseline_path.read_text()
    reference = f"{original}\n\n{_as_model(baseline, 'Model')}"
    if not baseline.code.init_entry:
        reference += "\n\ndef get_init_inputs():\n    return []\n"
    elif baseline.code.init_entry != "get_init_inputs":
        reference += f"\n\nget_init_inputs = {baseline.code.init_entry}\n"
    return {
        "reference": reference,
        "candidate": f"{item.path.read_text()}\n\n{_as_model(baseline, 'ModelNew')}",
        "precision": str(precision).removeprefix("torch."),
    }


def _as_model(baseline: Baseline, name: str) -> str:
    """Bound now: the harness runs both texts in namespaces that later ones may write into."""
    symbol = baseline.code.symbol
    if baseline.is_module:
        return f"{name} = {symbol}\n" if name != symbol else ""
    return (
        "import torch as _torch\n\n\n"
        f"class {name}(_torch.nn.Module):\n"
        f"    target = staticmethod({symbol})\n\n"
        "    def forward(self, *arguments):\n"
        "        return self.target(*arguments)\n"
    )


def _precision(baseline: Baseline) -> torch.dtype:
    tensors = [one for one in baseline.arguments if isinstance(one, torch.Tensor)]
    if not all(isinstance(one, torch.Tensor | int | float | bool) for one in baseline.arguments):
        raise NotExpressibleError("an argument is neither a tensor nor a number")
    found = {one.dtype for one in tensors}
    if len(found) != 1 or not found <= {*FLOATS}:
        raise NotExpressibleError("its tensors are not of one floating type, and the harness casts them all to one")
    if len(baseline.returned) != 1 or not isinstance(baseline.returned[0], torch.Tensor):
        raise NotExpressibleError("it does not return one tensor")
    return found.pop()


# SOL-ExecBench


def sol_entry(item: Item, baseline: Baseline) -> dict[str, str]:
    """definition.json, workload.jsonl and solution.json, by name. Raises NotExpressibleError.

    Weights are those of a module that both sides build from one seed: the harness knows functions only.
    """
    inputs = {f"x{number}": _spec(value) for number, value in enumerate(baseline.arguments)}
    outputs = {f"y{number}": _spec(value) for number, value in enumerate(baseline.returned)}
    name = f"{item.side}-{item.group}-{item.name}"
    original = item.baseline_path.read_text()
    parameters = ", ".join(inputs)
    definition = {
        "name": name,
        "axes": _axes([*inputs.values(), *outputs.values()]),
        "custom_inputs_entrypoint": "make_inputs",
        "inputs": inputs,
        "outputs": outputs,
        "reference": f"{original}\n\n{_run_text(baseline, parameters)}\n\n"
        "def make_inputs(axes_and_scalars, device):\n"
        f"    return dict(zip({[*inputs]!r}, get_inputs(), strict=True))\n",
    }
    workload = {"axes": {}, "inputs": {one: {"type": "custom"} for one in inputs}, "uuid": name}
    sources = {
        "candidate.py": item.path.read_text(),
        "original.py": original,
        "main.py": "from candidate import *\n"
        f"from candidate import {baseline.code.symbol}\n"
        + (f"from original import {baseline.code.init_entry}\n" if baseline.code.init_entry else "")
        + f"\n\n{_run_text(baseline, parameters)}",
    }
    solution = {
        "name": f"{name}-candidate",
        "definition": name,
        "author": "outpace corpus",
        "spec": {
            "languages": ["triton" if item.needs == "triton" else "pytorch"],
            "target_hardware": ["LOCAL"],
            "entry_point": "main.py::run",
            "destination_passing_style": False,
        },
        "sources": [{"path": path, "content": text} for path, text in sources.items()],
    }
    return {
        "definition.json": json.dumps(definition),
        "workload.jsonl": json.dumps(workload) + "\n",
        "solution.json": json.dumps(solution),
    }


def _run_text(baseline: Baseline, parameters: str) -> str:
    symbol = baseline.code.symbol
    if not baseline.is_module:
        return f"_target = {symbol}\n\n\ndef run({parameters}):\n    return _target({parameters})\n"
    return (
        "import torch as _torch\n\n"
        "_torch.manual_seed(0)\n"
        f"_target = {symbol}({baseline.init}).to('cuda' if _torch.cuda.is_available() else 'cpu')\n\n\n"
        f"def run({parameters}):\n    return _target({parameters})\n"
    )


def _spec(value: Any) -> dict[str, Any]:
    if isinstance(value, torch.Tensor):
        return {"shape": [f"d{size}" for size in value.shape], "dtype": str(value.dtype).removeprefix("torch.")}
    for kind, dtype in ((bool, "bool"), (int, "int64"), (float, "float32")):
        if isinstance(value, kind):
            return {"shape": None, "dtype": dtype}
    raise NotExpressibleError(f"a {type(value).__name__} goes in or out, which is neither tensor nor number")


def _axes(specs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By the names that `_spec` gives."""
    names = sorted({axis for spec in specs for axis in spec["shape"] or ()})
    return {name: {"type": "const", "value": int(name[1:])} for name in names}


def entry_of(harness: str, item: Item) -> dict[str, str]:
    """Raises NotExpressibleError."""
    with contextlib.redirect_stdout(io.StringIO()):
        baseline = read_baseline(item)
    return kernelbench_entry(item, baseline) if harness == "kernelbench" else sol_entry(item, baseline)
