"""For each profile rule a training loop that it must speak of (`yes`), and one that comes near it and is fine (`no`).

python rule_pairs.py sync yes --device cuda
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import nn
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rule")
    parser.add_argument("side", choices=("yes", "no"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=30)
    args = parser.parse_args()
    yes, cuda = args.side == "yes", args.device == "cuda"
    large = 4 if cuda else 1
    torch.manual_seed(0)
    if args.rule != "amp":
        torch.set_float32_matmul_precision("highest" if args.rule == "tf32" and yes else "high")
    model: nn.Module = mlp(256 * large, 4)
    batch, width, bf16 = 64 * large, 256 * large, False
    if args.rule in ("tf32", "amp"):
        batch, bf16 = 512 * large, args.rule == "amp" and not yes
    elif args.rule == "tiny":
        model = Pointwise(256, 60)
        batch, width = (8 if yes else 65536), 256
    model = model.to(args.device)
    switches = {"fused": not yes} if args.rule == "optimizer" else {"fused": True}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, **switches)
    source = batches(args, yes, batch, width)
    losses: list[float] = []
    total = torch.zeros((), device=args.device)
    for step, x in enumerate(source):
        x = x.to(args.device, non_blocking=args.rule == "copy" and not yes)
        if args.rule == "copy":
            x = x[:batch]
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
    print(f"loss {total.item() / args.steps:.4f}")


def batches(
    args: argparse.Namespace, yes: bool, batch: int, width: int
) -> list[torch.Tensor] | DataLoader[torch.Tensor]:
    """On the device, where the rule is not about how they get there."""
    if args.rule == "loader":
        return DataLoader(Slow(args.steps * batch, width, 1e-4 if yes else 1e-7), batch)
    if args.rule != "copy":
        return [torch.randn(batch, width, device=args.device)] * args.steps
    many = torch.randn(batch * 64, width)
    return [many if yes or args.device == "cpu" else many.pin_memory()] * args.steps


if __name__ == "__main__":
    main()
