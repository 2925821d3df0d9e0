"""Are the shares that `outpace profile` reports true? Doubles each of the top targets, and compares the step.

    python benchmarks/profile_check.py gpt_step.py --steps 100000 [--device cuda ...]
    python benchmarks/profile_check.py conv_loader.py --steps 400

A target with share s of the step, run twice, should make the step 1 + s times as long. In one process, blocks of steps
with and without each doubling take turns in random order; the change is the median over the rounds of block against
block. The scripts are those of benchmarks/profile, or your own; --steps must allow for all blocks.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

SCRIPTS = Path(__file__).parent / "profile"
TARGETS = 6
TOLERANCE = 0.05
"""Of the step: predicted and observed change may differ by so much, or by a fifth of the prediction."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--block", type=int, default=3, help="steps in a row")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("script", help="a file of benchmarks/profile, or the whole path of one that has a `main`")
    args, rest = parser.parse_known_args()
    script = SCRIPTS / args.script
    if args.worker:
        _work(script, rest, json.loads(args.worker), args.rounds, args.block)
        return 0
    profile = _profiled(args.python, script, rest)
    chosen = [one for one in profile["targets"] if not one["around"] and _doublable(one)][:TARGETS]
    observed = _observed(args, script, rest, [[one["kind"], one["target"]] for one in chosen])
    return _report(args.script, profile, chosen, observed)


def _profiled(python: str, script: Path, rest: list[str]) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "outpace_server.cli",
        "profile",
        "--steps",
        "10",
        "--json",
        "--",
        python,
        str(script),
        *rest,
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=script.parent)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout[done.stdout.index("{\n") :])


def _doublable(target: dict[str, Any]) -> bool:
    name = target["target"]
    return (
        target["kind"] == "function" or name.endswith(".step") or (target["kind"] == "module" and name != "Sequential")
    )


def _observed(args: argparse.Namespace, script: Path, rest: list[str], targets: list[list[str]]) -> list[list[float]]:
    own = ["--rounds", str(args.rounds), "--block", str(args.block), "--worker", json.dumps(targets)]
    command = [args.python, __file__, *own, str(script), *rest]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _report(name: str, profile: dict[str, Any], chosen: list[dict[str, Any]], observed: list[list[float]]) -> int:
    under, without = (1e3 * profile[key] for key in ("profiled_step_seconds", "plain_step_seconds"))
    given = 100 * profile["attributed_share"]
    print(f"{name}: step {under:.2f} ms under the profiler, {without:.2f} ms without; {given:.1f}% given to code")
    print(f"{'target':32} {'predicted':>10} {'observed':>10} {'middle half':>18}")
    wrong = 0
    for target, ratios in zip(chosen, observed, strict=True):
        low, change, high = (100 * (value - 1) for value in statistics.quantiles(ratios, n=4))
        share = 100 * target["share"]
        off = abs(change - share) > max(100 * TOLERANCE, share / 5)
        wrong += off
        said = f"{share:+9.1f}% {change:+9.1f}% {low:+8.1f} to {high:+.1f}%{'  differs' if off else ''}"
        print(f"{target['target']:32} {said}")
    print(f"{len(chosen) - wrong} of {len(chosen)} agree")
    return 1 if wrong else 0


# --- in the process that runs the script ------------------------------------------------------------------------


class _Doubling:
    """Which target runs twice just now; none: the script as it is."""

    def __init__(self) -> None:
        self.on: str | None = None
        self.busy = False

    def twice(self, key: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **keywords: Any) -> Any:
            if self.on != key or self.busy:
                return function(*args, **keywords)
            self.busy = True  # what a target calls is part of it, and not doubled again
            try:
                return _both(function(*args, **keywords), function(*args, **keywords))
            finally:
                self.busy = False

        return run


def _both(first: Any, second: Any) -> Any:
    """The first result, with a backward pass through both."""
    import torch

    if type(first) is tuple:  # of an LSTM: with what it hands on
        return tuple(_both(one, other) for one, other in zip(first, second, strict=True))
    if not isinstance(first, torch.Tensor) or not first.requires_grad:
        return first

    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
            return one.view_as(one)

        @staticmethod
        def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return gradients[0], gradients[0]

    return Both.apply(first, second)


def _work(script: Path, rest: list[str], targets: list[list[str]], rounds: int, block: int) -> None:
    """Prints, per target, the ratios of its blocks to the plain block of the same round."""
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook

    spec = importlib.util.spec_from_file_location("script", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    doubling = _Doubling()
    for kind, name in targets:
        _patch(module, kind, name, doubling)
    names: list[str | None] = [None, *(name for _, name in targets)]
    generator = random.Random(0)
    plan = [name for _ in range(rounds + 1) for name in generator.sample(names, len(names))]  # the first round warms up
    times: list[float] = []
    clock = time.process_time if os.environ.get("OMP_NUM_THREADS") == "1" and "cuda" not in rest else time.perf_counter
    began, steps = 0.0, 0

    def stepped(*_: object) -> None:
        nonlocal began, steps
        steps += 1
        if steps % (block + 1) == 0:  # the first step of a block settles
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            times.append((clock() - began) / block)
            if len(times) == len(plan):
                raise SystemExit(0)
            doubling.on = plan[len(times)]
        elif steps % (block + 1) == 1:
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            began = clock()

    register_optimizer_step_post_hook(stepped)
    doubling.on = plan[0]
    sys.argv = [str(script), *rest]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
        module.main()
    assert len(times) == len(plan), f"the script ended after {steps} steps, of {len(plan) * (block + 1)} needed"
    width = len(names)
    ratios: list[list[float]] = [[] for _ in targets]
    for start in range(width, len(plan), width):
        taken = dict(zip(plan[start : start + width], times[start : start + width], strict=True))
        for index, (_, name) in enumerate(targets):
            ratios[index].append(taken[name] / taken[None])
    print(json.dumps(ratios))


def _patch(module: ModuleType, kind: str, name: str, doubling: _Doubling) -> None:
    import torch

    owner: Any = module
    parts = name.split(".")
    if kind == "module":
        owner, parts = torch.nn, [name, "forward"]
    elif kind == "region":
        owner = torch.optim
    for part in parts[:-1]:
        owner = getattr(owner, part)
    if kind == "region":  # not yet wrapped for hooks: torch does that when one is made
        original = owner.step

        def step(self: Any, closure: Any = None) -> Any:
            if doubling.on == name:
                original(self)
            return original(self, closure)

        owner.step = step
        return
    setattr(owner, parts[-1], doubling.twice(name, getattr(owner, parts[-1])))


if __name__ == "__main__":
    sys.exit(main())
