"""The harness that hacks are made for: both sides in one process, one fixed input, compared once at the start, and
time.perf_counter around repeated calls. It shows what a hack pretends to gain; nothing in outpace relies on it.

    python benchmarks/naive_timing.py BASELINE.py CANDIDATE.py SYMBOL [--device cuda]

Prints {"agrees": bool, "gain": baseline time / candidate time, "call_s": the baseline's}. Values agree as in
SOL-ExecBench: 99% of the elements within 1e-2, absolute and relative, complex numbers part by part. A call that
differentiates includes its backward pass, whose gradients nobody looks at.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map

TOLERANCE = 1e-2
MATCHED = 0.99
TURNS = 40
SECONDS = 0.02
"""Of each turn. The sides take turns and the fastest turn decides: on a machine that others use, an operator whose
threads wait for each other takes anything from its own time to a hundred times that."""

MOST_CALLS = 2000
"""In a turn, for calls that return before they have done anything."""


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def caller(module: ModuleType, source: ModuleType, symbol: str, device: str) -> Callable[..., Any]:
    target = getattr(module, symbol)
    if not isinstance(target, type):
        return target
    torch.manual_seed(0)
    built = target(*getattr(source, "get_init_inputs", list)())
    for child in built.modules():
        if isinstance(child, torch.nn.Dropout):
            child.p = 0.0
    return built.to(device)


def place(value: Any, device: str, trains: bool) -> Any:
    """A module stands in the middle of a network: its floating inputs want gradients too."""
    if not isinstance(value, torch.Tensor):
        return value
    learns = trains and (value.is_floating_point() or value.is_complex())
    return value.detach().to(device).requires_grad_(value.requires_grad or learns)


def copied(value: Any) -> Any:
    """For a side of its own: some targets write to what they are given."""
    return value.detach().clone().requires_grad_(value.requires_grad) if isinstance(value, torch.Tensor) else value


def agrees(expected: Any, got: Any) -> bool:
    ours, theirs = tensors_of(expected), tensors_of(got)
    return len(ours) == len(theirs) and all(map(close, ours, theirs))


def tensors_of(outputs: Any) -> list[torch.Tensor]:
    """Fields are read by their names, as a caller does. Complex ones are pairs of reals, which have a loss."""
    named = [outputs[name] for name in sorted(outputs, key=str)] if isinstance(outputs, Mapping) else outputs
    found = (leaf for leaf in tree_leaves(named) if isinstance(leaf, torch.Tensor))
    return [torch.view_as_real(leaf.resolve_conj()) if leaf.is_complex() else leaf for leaf in found]


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.shape != b.shape:
        return False
    near = torch.isclose(b.detach().float(), a.detach().float(), rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return bool(near.float().mean() >= MATCHED)


def step(call: Callable[..., Any], inputs: list[Any]) -> None:
    outputs = [leaf for leaf in tensors_of(call(*inputs)) if leaf.requires_grad]
    if outputs:
        torch.autograd.backward([leaf.sum() for leaf in outputs])


def turn(call: Callable[..., Any], inputs: list[Any], device: str) -> float:
    """Seconds of one call, the mean over one turn."""
    times: list[float] = []
    while sum(times) < SECONDS and len(times) < MOST_CALLS:
        started = time.perf_counter()
        step(call, inputs)
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return sum(times) / len(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("baseline", type=Path)
    parser.add_argument("candidate", type=Path)
    parser.add_argument("symbol")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    source = load(args.baseline, "baseline")
    baseline = caller(source, source, args.symbol, args.device)
    candidate = caller(load(args.candidate, "candidate"), source, args.symbol, args.device)
    torch.manual_seed(0)
    trains = isinstance(baseline, torch.nn.Module)
    inputs = tree_map(lambda value: place(value, args.device, trains), source.get_inputs())
    expected, got = (call(*tree_map(copied, inputs)) for call in (baseline, candidate))
    right = agrees(expected, got)
    turns = [[turn(call, inputs, args.device) for call in (candidate, baseline)] for _ in range(TURNS)]
    theirs, ours = map(min, zip(*turns, strict=True))
    # Flushed, because a thread that a hack has left behind may abort the exit.
    print(json.dumps({"agrees": right, "gain": ours / theirs, "call_s": ours}), flush=True)


if __name__ == "__main__":
    main()
