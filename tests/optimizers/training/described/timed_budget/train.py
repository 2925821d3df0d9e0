"""Trains for a fixed time, then prints its bits per byte. BUDGET and SEED are taken from the environment."""

import os
import time

import torch
import torch.nn.functional as F

from prepare import VOCAB, evaluate_bpb, make_loader

TIME_BUDGET = float(os.environ.get("BUDGET", "300"))
SEED = int(os.environ.get("SEED", 42))
DEVICE_BATCH = 16

torch.manual_seed(SEED)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(VOCAB, 32)
        self.head = torch.nn.Linear(32, VOCAB)

    def forward(self, x):
        return self.head(self.embed(x))


model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
loader = make_loader("train", DEVICE_BATCH)
total_training_time, step = 0.0, 0
while True:
    t0 = time.time()
    x, y = next(loader)
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if step > 10:
        total_training_time += time.time() - t0
    print(f"\rstep {step:05d} ({100 * total_training_time / TIME_BUDGET:.1f}%) | loss: {loss.item():.6f}", end="")
    step += 1
    if total_training_time >= TIME_BUDGET:
        break

model.eval()
val_bpb = evaluate_bpb(model, DEVICE_BATCH)
print("---")
print(f"val_bpb:          {val_bpb:.6f}")
print(f"training_seconds: {total_training_time:.1f}")
print(f"num_steps:        {step}")
