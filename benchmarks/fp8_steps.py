"""Whole training steps of a GPT under autocast, with and without what the rule fp8-linear makes of its script.

    python benchmarks/fp8_steps.py [--seconds 240] [--out FILE]
    python benchmarks/fp8_steps.py --smoke      tiny, on the CPU, where nothing is in FP8

Both from the same parameters, on the same tokens, compiled and as they are called, in turns within one process; ratios
are medians over turns, with the 95% interval of the median. The losses after as many steps are printed beside them:
whether training is the same is a question for a campaign.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in ("kernels", "optimizers", "audit"))]

import torch  # noqa: E402

from kernels import commit, machine, median_interval  # noqa: E402
from outpace_optimizers.training_rules.fp8_linear import RULE  # noqa: E402
from outpace_optimizers.training_rules.registry import training_ideas  # noqa: E402

SCRIPT = HERE.parent / "tests/optimizers/golden_training/fp8-linear/autocast/before.py"
MODELS = {
    "GPT-2 small, 16x1024": ({"vocab_size": 50304, "width": 768, "heads": 12, "layers": 12}, 16, 1024),
    "8 layers of 2048, 8x1024": ({"vocab_size": 32768, "width": 2048, "heads": 16, "layers": 8}, 8, 1024),
    "4 layers of 4096, 4x2048": ({"vocab_size": 32768, "width": 4096, "heads": 32, "layers": 4}, 4, 2048),
}
TINY = {"tiny, 2x8": ({"vocab_size": 64, "width": 32, "heads": 2, "layers": 1}, 2, 8)}
TURNS, STEPS, WARM_UP = 12, 4, 3
"""Of each arm: turns, steps in each, steps before."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    device = "cpu" if args.smoke else "cuda"
    deadline = time.monotonic() + args.seconds
    result: dict[str, Any] = {"machine": machine(device), "commit": commit(), "results": {}}
    with tempfile.TemporaryDirectory(prefix="outpace-fp8-") as folder:
        spaces = scripts(Path(folder))
        for compiled in (True, False):
            for name, (sizes, batch, length) in (TINY if args.smoke else MODELS).items():
                if time.monotonic() > deadline or (compiled and args.smoke):
                    continue
                label = f"{name}, {'compiled' if compiled else 'eager'}"
                arms = {arm: Arm(space, sizes, batch, length, device, compiled) for arm, space in spaces.items()}
                result["results"][label] = found = measured(arms, device)
                print(f"{label}: {said(found)}", flush=True)
                del arms
                torch.compiler.reset()
    if args.out is not None:
        args.out.write_text(json.dumps(result, indent=1) + "\n")


def scripts(folder: Path) -> dict[str, dict[str, Any]]:
    """The names of each script, run from a file: Triton reads a kernel's text there."""
    before = SCRIPT.read_text()
    (idea,) = training_ideas("script.py", before, [RULE]).ideas
    spaces: dict[str, dict[str, Any]] = {}
    for name, text in (("bf16", before), ("fp8", idea.patch.new_source)):
        path = folder / f"{name}.py"
        path.write_text(text)
        spaces[name] = {"__name__": name}
        exec(compile(text, str(path), "exec", dont_inherit=True), spaces[name])
    return spaces


class Arm:
    """A model with its optimizer; `step` is one step on the tokens of that number."""

    def __init__(
        self, space: dict[str, Any], sizes: dict[str, int], batch: int, length: int, device: str, compiled: bool
    ) -> None:
        torch.manual_seed(0)
        model = space["GPT"](**sizes).to(device)
        self.call: Callable[..., torch.Tensor] = torch.compile(model) if compiled else model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=device == "cuda")
        self.shape, self.classes, self.device, self.count = (batch, length + 1), sizes["vocab_size"], device, 0

    def step(self) -> torch.Tensor:
        generator = torch.Generator(self.device).manual_seed(self.count)
        tokens = torch.randint(self.classes, self.shape, generator=generator, device=self.device)
        self.count += 1
        with torch.autocast(self.device, dtype=torch.bfloat16):
            loss = self.call(tokens[:, :-1], tokens[:, 1:]).mean()
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()


def measured(arms: dict[str, Arm], device: str) -> dict[str, Any]:
    losses = {name: [arm.step() for _ in range(WARM_UP)] for name, arm in arms.items()}
    times: dict[str, list[float]] = {name: [] for name in arms}
    order = list(arms)
    for _ in range(TURNS if device == "cuda" else 2):
        random.shuffle(order)
        for name in order:
            begun = clock(device)
            losses[name] += [arms[name].step() for _ in range(STEPS)]
            times[name].append((clock(device) - begun) / STEPS)
    ratios = [bf16 / fp8 for bf16, fp8 in zip(times["bf16"], times["fp8"], strict=True)]
    return {
        "seconds": {name: statistics.median(values) for name, values in times.items()},
        "ratio": statistics.median(ratios),
        "interval": median_interval(ratios),
        "first_loss": {name: float(values[0]) for name, values in losses.items()},
        "last_loss": {name: float(values[-1]) for name, values in losses.items()},
        "samples": times,
    }


def clock(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def said(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    times = ", ".join(f"{name} {seconds * 1e3:.2f} ms" for name, seconds in found["seconds"].items())
    losses = "; ".join(
        f"{word} loss {found[f'{word}_loss']['bf16']:.4f} and {found[f'{word}_loss']['fp8']:.4f}"
        for word in ("first", "last")
    )
    return f"{times}; {found['ratio']:.3f}x [{low:.3f}, {high:.3f}]; {losses}"


if __name__ == "__main__":
    main()
