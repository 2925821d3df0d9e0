import os
import sys
import time
import uuid
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

rank = int(os.environ.get("RANK", 0))
world_size = int(os.environ.get("WORLD_SIZE", 1))


@dataclass
class Hyperparameters:
    train_files: str = "data/fineweb_train_*.bin"
    val_files: str = "data/fineweb_val_*.bin"
    val_tokens: int = 10485760
    num_iterations: int = 1285
    cooldown_frac: float = 0.6
    val_loss_every: int = 125
    save_checkpoint: bool = False


args = Hyperparameters()
run_id = str(uuid.uuid4())


def print0(s, console=False):
    if rank == 0:
        with open(f"logs/{run_id}.txt", "a") as f:
            if console:
                print(s)
            print(s, file=f)


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50304, 64)
        self.lm_head = nn.Linear(64, 50304)

    def forward(self, x, y):
        return F.cross_entropy(self.lm_head(self.embed(x)), y)


def batches(pattern):
    while True:
        tokens = torch.randint(50304, (65,))
        yield tokens[:-1], tokens[1:]


model = GPT()
optimizers = [torch.optim.AdamW(model.parameters(), lr=0.008)]
train_loader, val_loader = batches(args.train_files), batches(args.val_files)
training_time_ms = 0
t0 = time.perf_counter()
train_steps = args.num_iterations
for step in range(train_steps + 1):
    last_step = step == train_steps
    if last_step or (args.val_loss_every > 0 and step % args.val_loss_every == 0):
        training_time_ms += 1000 * (time.perf_counter() - t0)
        model.eval()
        with torch.no_grad():
            val_loss = sum(model(*next(val_loader)) for _ in range(4)) / 4
        if world_size > 1:
            dist.all_reduce(val_loss, op=dist.ReduceOp.AVG)
        print0(
            f"step:{step}/{train_steps} val_loss:{val_loss:.4f} train_time:{training_time_ms:.0f}ms "
            f"step_avg:{training_time_ms / max(step, 1):.2f}ms",
            console=True,
        )
        model.train()
        t0 = time.perf_counter()
    if last_step:
        break
    loss = model(*next(train_loader))
    loss.backward()
    for opt in optimizers:
        opt.step()
    model.zero_grad(set_to_none=True)
    approx = training_time_ms + 1000 * (time.perf_counter() - t0)
    print0(f"step:{step + 1}/{train_steps} train_time:{approx:.0f}ms step_avg:{approx / (step + 1):.2f}ms", console=True)
