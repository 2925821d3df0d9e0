"""For each profile rule a training loop that it must speak of (`yes`), and one that comes near it and is fine (`no`).

python rule_pairs.py sync yes --device cuda

`done` is `yes` with the rule's advice followed, and nothing else changed. `--rounds` prints what steps of both take, as
benchmarks/profile_gains.py compares it with the gain that was predicted.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset


class Slow(Dataset[torch.Tensor]):
    """Each sample takes `seconds` to make."""

    def __init__(self, count: int, width: int, seconds: float) -> None:
        self.count, self.width, self.seconds = count, width, seconds

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        until = time.perf_counter() + self.seconds
        while time.perf_counter() < until:
            pass
        return torch.full((self.width,), float(index % 7))


def mlp(width: int, layers: int) -> nn.Module:
    return nn.Sequential(*(layer for _ in range(layers) for layer in (nn.Linear(width, width), nn.ReLU())))


class Pointwise(nn.Module):
    """Many small operations, on little data or much."""

    def __init__(self, width: int, operations: int) -> None:
        super().__init__()
        self.scale, self.operations = nn.Parameter(torch.ones(width)), operations

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.operations):
            x = torch.tanh(x * self.scale)
        return x


class Attention(nn.Module):
    """Of one head, on all that comes; written out or fused."""

    def __init__(self, width: int, written_out: bool) -> None:
        super().__init__()
        self.project, self.written_out = nn.Linear(width, 3 * width), written_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.project(x.unflatten(0, (-1, 512))).chunk(3, dim=-1)
        if not self.written_out:
            return scaled_dot_product_attention(q, k, v).flatten(0, 1)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        return (scores.softmax(dim=-1) @ v).flatten(0, 1)


class Recomputed(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return checkpoint(self.inner, x, use_reentrant=False)


class Pictures(nn.Module):
    """Convolutions, in the layout that their input has."""

    def __init__(self, channels: int, channels_last: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(6)))
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.to(memory_format=self.layout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        side = 32
        return self.layers(x.unflatten(1, (-1, side, side)).to(memory_format=self.layout))


SETTLING = 20
"""Steps before the clock is read: workers start, code is compiled, memory is found."""


def made(rule: str, side: str, cuda: bool) -> tuple[nn.Module, int, int]:
    """A model, how many samples are in a batch, and how wide each is."""
    yes, near = side == "yes", side != "no"
    large = 4 if cuda else 1
    batch, width = 64 * large, 256 * large
    if rule in ("tf32", "amp"):
        return mlp(width, 4), 512 * large, width
    if rule == "loader":
        return mlp(width, 24 if near else 72), batch, width
    if rule == "tiny":
        return Pointwise(256, 60), 8 if near else 65536, 256
    if rule == "attention":
        return nn.Sequential(*(Attention(64 * large, yes) for _ in range(4))), 2048 * large * large, 64 * large
    if rule == "batch":  # one block takes a row, however long it is
        return nn.Sequential(*(nn.LayerNorm(1 << 20) for _ in range(4))), 4 if yes else 128, 1 << 20
    if rule == "recompute":
        layers = [mlp(width, 3) for _ in range(4)]
        return nn.Sequential(*(one if side == "done" else Recomputed(one) for one in layers)), 512 * large, width
    if rule == "channels":
        return Pictures(64, not yes), 64 * large, 64 * 32 * 32
    return mlp(width, 4), batch, width


def made_of_objects(count: int) -> list[list[int]]:
    """What a script keeps, such as the index of its data: the collector looks through all of it."""
    return [[number] for number in range(count)]


def most_of_the_memory() -> torch.Tensor:
    free, _ = torch.cuda.mem_get_info()
    return torch.empty(int(0.85 * free), dtype=torch.uint8, device="cuda")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rule")
    parser.add_argument("side", choices=("yes", "no", "done"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=0, help="time the sides `yes` and `done` in turns")
    args = parser.parse_args()
    if not args.rounds:
        run(args)
        return
    taken: dict[str, list[float]] = {"yes": [], "done": []}
    for number in range(2 * args.rounds):
        args.side = ("yes", "done", "done", "yes")[number % 4]
        taken[args.side].append(run(args))
    print(json.dumps(taken))


def run(args: argparse.Namespace) -> float:
    """Seconds of a step, for as many samples as a batch of `yes` has: those that follow the first."""
    yes, cuda = args.side == "yes", args.device == "cuda"
    gc.unfreeze()
    torch.manual_seed(0)
    if args.rule != "amp":
        torch.set_float32_matmul_precision("highest" if args.rule == "tf32" and yes else "high")
    model, batch, width = made(args.rule, args.side, cuda)
    given = made(args.rule, "yes", cuda)[1] if args.rule == "batch" else batch
    bf16 = args.rule == "channels" or (args.rule == "amp" and not yes)
    kept = made_of_objects(500_000 if args.rule == "gc" else 0)
    held = most_of_the_memory() if args.rule == "recompute" and args.side == "no" and cuda else None
    model = model.to(args.device)
    if args.rule == "tiny" and args.side == "done":
        model = torch.compile(model, mode="reduce-overhead")
    switches = {"fused": not yes} if args.rule == "optimizer" else {"fused": True}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, **switches)
    losses: list[float] = []
    total = torch.zeros((), device=args.device)
    settling = min(SETTLING, args.steps - 1)
    began = clock(args)
    for step, x in enumerate(batches(args, batch, width)):
        if step == settling:
            began = clock(args)
        x = x.to(args.device, non_blocking=args.rule == "copy" and not yes)
        if args.rule == "copy":
            x = x[:batch]
        if args.rule == "gc":
            gc.collect()
            if not yes:
                gc.freeze()  # what there is by now stays, and is not looked through again
        with torch.autocast(args.device, dtype=torch.bfloat16, enabled=bf16):
            loss = model(x).square().mean()
        optimizer.zero_grad(set_to_none=not (args.rule == "zero" and yes))
        loss.backward()
        optimizer.step()
        if args.rule == "sync" and yes:
            losses.extend(
                float(parameter.grad.norm()) for parameter in model.parameters() if parameter.grad is not None
            )
        elif step % 50 == 49:
            losses.append(loss.item())
        total += loss.detach()
    ended = clock(args)
    print(f"loss {total.item() / args.steps:.4f}", len(kept), held is None)
    return (ended - began) / (args.steps - settling) * given / batch


def clock(args: argparse.Namespace) -> float:
    """Of the process where only one thread of it computes: others on the machine then do not count."""
    if args.device == "cuda":
        torch.cuda.synchronize()
    return (
        time.process_time()
        if args.device == "cpu" and os.environ.get("OMP_NUM_THREADS") == "1"
        else time.perf_counter()
    )


def batches(args: argparse.Namespace, batch: int, width: int) -> Iterator[torch.Tensor]:
    """On the device, where the rule is not about how they get there."""
    if args.rule == "loader":
        slow = Slow(args.steps * batch, width, 1e-7 if args.side == "no" else 1e-4)
        workers = min(8, os.cpu_count() or 1) if args.side == "done" else 0
        yield from DataLoader(slow, batch, num_workers=workers)
    elif args.rule != "copy":
        yield from [torch.randn(batch, width, device=args.device)] * args.steps
    else:
        many = torch.randn(batch * 64, width)
        yield from [many if args.side == "yes" or args.device == "cpu" else many.pin_memory()] * args.steps


if __name__ == "__main__":
    main()
