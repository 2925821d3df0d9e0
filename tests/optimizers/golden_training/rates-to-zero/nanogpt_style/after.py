"""In the style of nanoGPT: a cosine with a floor, which is reached only when the run is over, and a loop that breaks."""

import math

import torch
import torch.nn as nn
from torch.nn import functional as F

learning_rate, min_lr = 1e-2, 1e-3
warmup_iters, lr_decay_iters = 4, 60
max_iters = 40
gradient_accumulation_steps = 2
decay_lr = True # whether to decay the learning rate

torch.manual_seed(1)
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 3))
scaler = torch.amp.GradScaler('cpu', enabled=False)
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)


def get_batch():
    x = torch.randn(16, 6)
    return x, x[:, :3].argmax(1)


# learning rate decay scheduler (cosine with warmup)
def get_lr(it):
    # 1) linear warmup for warmup_iters steps
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    # 2) if it > lr_decay_iters, return min learning rate
    if it > lr_decay_iters:
        return min_lr
    # 3) in between, use cosine decay down to min learning rate
    decay_ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    assert 0 <= decay_ratio <= 1
    coeff = 0.5 * (1.0 + math.cos(math.pi * decay_ratio))
    return min_lr + coeff * (learning_rate - min_lr)


X, Y = get_batch()
iter_num = 0


class RatesToZero:
    """`with RatesToZero(done, optimizer):` scales the rates of a step, where `done` of the run is over: at the
    end of it they fall to zero, from whatever they would be.
    """

    DECAY = 0.3  # of the run

    def __init__(self, done, optimizer):
        self.factor = min(1.0, max(0.0, 1.0 - done) / self.DECAY)
        self.groups = optimizer.param_groups

    def __enter__(self):
        self.rates = [group["lr"] for group in self.groups]
        for group in self.groups:
            group["lr"] = group["lr"] * self.factor

    def __exit__(self, *error):
        for group, rate in zip(self.groups, self.rates):
            group["lr"] = rate


while True:

    # determine and set the learning rate for this iteration
    lr = get_lr(iter_num) if decay_lr else learning_rate
    for param_group in optimizer.param_groups:
        param_group['lr'] = lr

    for micro_step in range(gradient_accumulation_steps):
        loss = F.cross_entropy(model(X), Y) / gradient_accumulation_steps
        X, Y = get_batch()
        scaler.scale(loss).backward()
    with RatesToZero(iter_num / max_iters, optimizer):
        scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)

    if iter_num % 10 == 0:
        print(f"iter {iter_num}: loss {loss.item():.6f}, lr {lr:e}")
    iter_num += 1

    # termination conditions
    if iter_num > max_iters:
        break
