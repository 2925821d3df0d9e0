"""Trains a small GPT for a fixed number of seconds: `python train.py --data data --seconds 300 --seed 0`.

The task of the public five-minute benchmark: the least bits per byte of the validation text after a fixed time on one
GPU. The clock starts after three steps that compile everything, whose effect is undone. See README.md.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from evaluate import bits_per_byte, load_rows

WARM_UP = 3
"""Steps before the clock, to compile; the parameters are put back after them."""


@dataclass
class GPTConfig:
    vocab_size: int = 8192
    sequence_len: int = 2048
    n_layer: int = 8
    n_head: int = 4
    n_embd: int = 512


def norm(x: torch.Tensor) -> torch.Tensor:
    return F.rms_norm(x, (x.size(-1),))


def apply_rotary(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """x: (batch, time, heads, width); cos and sin: (1, time, 1, width / 2)."""
    one, two = x.chunk(2, dim=3)
    return torch.cat([one * cos + two * sin, two * cos - one * sin], dim=3)


class CausalSelfAttention(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.head_dim = config.n_embd // config.n_head
        self.c_q = nn.Linear(config.n_embd, config.n_embd, bias=False)
        self.c_k = nn.Linear(config.n_embd, config.n_embd, bias=False)
        self.c_v = nn.Linear(config.n_embd, config.n_embd, bias=False)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=False)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        B, T, C = x.size()
        q = self.c_q(x).view(B, T, self.n_head, self.head_dim)
        k = self.c_k(x).view(B, T, self.n_head, self.head_dim)
        v = self.c_v(x).view(B, T, self.n_head, self.head_dim)
        q, k = norm(apply_rotary(q, cos, sin)), norm(apply_rotary(k, cos, sin))
        q, k, v = q.to(v.dtype).transpose(1, 2), k.to(v.dtype).transpose(1, 2), v.transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(B, T, C))


class MLP(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=False)
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c_proj(F.relu(self.c_fc(x)).square())


class Block(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.attn = CausalSelfAttention(config)
        self.mlp = MLP(config)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(norm(x), cos, sin)
        return x + self.mlp(norm(x))


class GPT(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.n_layer)])
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        width = config.n_embd // config.n_head
        angles = torch.outer(torch.arange(config.sequence_len), 10000.0 ** -(torch.arange(0, width, 2) / width))
        self.register_buffer("cos", angles.cos()[None, :, None, :], persistent=False)
        self.register_buffer("sin", angles.sin()[None, :, None, :], persistent=False)
        self.init_weights()

    @torch.no_grad()
    def init_weights(self) -> None:
        """Projections back into the residual stream start at zero, other matrices uniform with deviation 1/√width."""
        bound = math.sqrt(3 / self.config.n_embd)
        self.wte.weight.normal_()
        self.lm_head.weight.normal_(std=0.001)
        for block in self.blocks:
            for matrix in (block.attn.c_q, block.attn.c_k, block.attn.c_v, block.mlp.c_fc):
                matrix.weight.uniform_(-bound, bound)
            block.attn.c_proj.weight.zero_()
            block.mlp.c_proj.weight.zero_()

    def forward(self, idx: torch.Tensor, targets: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
        """The loss in nats; of each token, (batch × time,), with `reduction="none"`."""
        T = idx.size(1)
        x = norm(self.wte(idx)).to(self.wte.weight.dtype)
        for block in self.blocks:
            x = block(x, self.cos[:, :T], self.sin[:, :T])
        logits = self.lm_head(norm(x)).float()
        logits = 15 * torch.tanh(logits / 15)
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1), reduction=reduction)


@torch.compile(dynamic=False, disable=not torch.cuda.is_available())
def orthogonalised(grads: torch.Tensor) -> torch.Tensor:
    """The nearest semi-orthogonal matrices, roughly, by Newton-Schulz steps: (matrices, rows ≤ columns)."""
    x = grads.bfloat16() if grads.is_cuda else grads
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal; matrices of one shape go together. Steps are of size √max(1, rows / columns) · lr."""

    def __init__(
        self, params: list[torch.Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            shapes: dict[torch.Size, list[torch.Tensor]] = {}
            for p in group["params"]:
                shapes.setdefault(p.shape, []).append(p)
            for (rows, columns), same in shapes.items():
                grads = torch.stack([p.grad for p in same])
                state = self.state[same[0]]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(grads)
                state["momentum"].lerp_(grads, 1 - group["momentum"])
                update = grads.lerp(state["momentum"], group["momentum"])
                update = orthogonalised(update.mT).mT if rows > columns else orthogonalised(update)
                rate = group["lr"] * max(1, rows / columns) ** 0.5
                torch._foreach_mul_(same, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(same, list(update.to(same[0].dtype).unbind()), alpha=-rate)


def build_optimizers(model: GPT, fused: bool) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for what is looked up and for the head."""
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    groups = [
        {"params": [model.wte.weight], "lr": 0.6},
        {"params": [model.lm_head.weight], "lr": 0.004},
    ]
    adam = torch.optim.AdamW(groups, betas=(0.8, 0.95), eps=1e-10, weight_decay=0.0, fused=fused)
    optimizers = [adam, Muon(matrices, lr=0.03, weight_decay=0.1)]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def rate_at(progress: float, warm_down: float) -> float:
    """Of the full rate: constant, then linear to zero over the last `warm_down` of the run."""
    return min(1.0, max(0.0, 1 - progress) / warm_down)


def epochs(rows: torch.Tensor, batch: int, seed: int) -> Iterator[tuple[float, torch.Tensor, torch.Tensor]]:
    """Epochs begun so far, inputs, targets: every row once before any comes again, in an order drawn from the seed."""
    generator = torch.Generator().manual_seed(seed)
    taken, waiting = 0, torch.empty(0, dtype=torch.long)
    while True:
        while len(waiting) < batch:
            waiting = torch.cat([waiting, torch.randperm(len(rows), generator=generator)])
        chosen, waiting = waiting[:batch], waiting[batch:]
        taken += batch
        found = rows[chosen.to(rows.device)].long()
        yield taken / len(rows), found[:, :-1], found[:, 1:]


class Clock:
    """Seconds since the start, at which the step before the last one was done: the GPU always has one more to do."""

    def __init__(self, device: torch.device) -> None:
        self.events: list[torch.cuda.Event] = []
        self.cuda = device.type == "cuda"
        if self.cuda:
            torch.cuda.synchronize()
        self.started = time.perf_counter()

    def tick(self) -> float:
        if self.cuda:
            event = torch.cuda.Event()
            event.record()
            self.events.append(event)
            if len(self.events) > 2:
                self.events.pop(0)
            self.events[0].synchronize()
        return time.perf_counter() - self.started

    def stop(self) -> float:
        if self.cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - self.started


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains a small GPT for a fixed time.")
    parser.add_argument("--data", type=Path, default=Path("data"), help="what corpus.py wrote")
    parser.add_argument("--seconds", type=float, default=300.0, help="of training")
    parser.add_argument("--steps", type=int, help="end after so many steps instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--batch", type=int, default=64, help="rows of a step")
    parser.add_argument("--micro-batch", type=int, default=64, help="rows of one pass")
    parser.add_argument("--warm-down", type=float, default=0.5, help="share of the run in which rates fall to zero")
    parser.add_argument("--evaluate-rows", type=int, default=1024)
    parser.add_argument("--log-every", type=int, default=20, help="steps between printed losses")
    parser.add_argument("--checkpoint", type=Path, help="where to leave the trained model")
    arguments = parser.parse_args()
    if not (arguments.data / "train.npy").exists():
        parser.error(f"{arguments.data}/train.npy does not exist: make it with corpus.py")
    if arguments.batch % arguments.micro_batch:
        parser.error("--batch has to be a multiple of --micro-batch")
    return arguments


class Trainer:
    """A model, its compiled form, and one step of it."""

    def __init__(self, arguments: argparse.Namespace, device: torch.device, vocab_size: int, length: int) -> None:
        self.arguments, self.device = arguments, device
        config = GPTConfig(vocab_size, length, arguments.depth, arguments.heads, arguments.width)
        self.model = GPT(config).to(device)
        if device.type == "cuda":
            self.model.wte.bfloat16()
        self.compiled = torch.compile(self.model, dynamic=False) if device.type == "cuda" else self.model
        self.optimizers = build_optimizers(self.model, device.type == "cuda")

    def step(self, inputs: torch.Tensor, targets: torch.Tensor, rate: float) -> torch.Tensor:
        """The mean loss before the step; still on the device."""
        passes = self.arguments.batch // self.arguments.micro_batch
        total = torch.zeros((), device=self.device)
        for x, y in zip(inputs.chunk(passes), targets.chunk(passes), strict=True):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                loss = self.compiled(x, y) / passes
            loss.backward()
            total += loss.detach()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return total

    def warm_up(self, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Compiles what a step needs, and undoes what the steps did."""
        kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        for _ in range(WARM_UP):
            self.step(inputs, targets, 1.0)
        self.model.load_state_dict(kept)
        self.optimizers = build_optimizers(self.model, self.device.type == "cuda")

    def losses(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            return self.model(x, y, reduction="none")


def train(trainer: Trainer, rows: torch.Tensor) -> dict[str, float]:
    arguments = trainer.arguments
    batches = epochs(rows, arguments.batch, arguments.seed)
    if trainer.device.type == "cuda":
        trainer.warm_up(*next(epochs(rows, arguments.batch, 0))[1:])
    clock, seconds, step, epoch = Clock(trainer.device), 0.0, 0, 0.0
    while True:
        done = step / arguments.steps if arguments.steps else (seconds + seconds / max(step, 1)) / arguments.seconds
        if done >= 1:
            break
        epoch, inputs, targets = next(batches)
        loss = trainer.step(inputs, targets, rate_at(done, arguments.warm_down))
        seconds, step = clock.tick(), step + 1
        if step == 1 or step % arguments.log_every == 0:
            print(json.dumps({"step": step, "loss": round(loss.item(), 5), "seconds": round(seconds, 2)}), flush=True)
    seconds = clock.stop()
    tokens = step * arguments.batch * (rows.size(1) - 1)
    return {"step": step, "seconds": round(seconds, 3), "tokens": tokens, "epochs": round(epoch, 3)}


def main() -> None:
    arguments = parsed()
    torch.manual_seed(arguments.seed)
    torch.set_float32_matmul_precision("high")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows, held_out, lengths = load_rows(arguments.data, device)
    trainer = Trainer(arguments, device, len(lengths), rows.size(1) - 1)
    found = train(trainer, rows)
    bits = bits_per_byte(trainer.losses, held_out[: arguments.evaluate_rows], lengths)
    if arguments.checkpoint:
        torch.save({"config": vars(trainer.model.config), "model": trainer.model.state_dict()}, arguments.checkpoint)
    memory = torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else 0.0
    speed = {"tokens_per_second": round(found["tokens"] / found["seconds"]), "gib": round(memory, 1)}
    parameters = sum(p.numel() for p in trainer.model.parameters())
    print(json.dumps({"val_bpb": round(bits, 6), **found, **speed, "parameters": parameters, "seed": arguments.seed}))


if __name__ == "__main__":
    main()
