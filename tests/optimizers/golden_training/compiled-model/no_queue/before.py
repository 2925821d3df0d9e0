"""A queue of keys that is multiplied, and written into, in one call."""

import torch
import torch.nn as nn


class Contrast(nn.Module):
    def __init__(self, width=8, length=32):
        super().__init__()
        self.encoder = nn.Linear(width, width)
        self.length, self.at = length, 0
        self.register_buffer("queue", torch.randn(width, length))

    @torch.no_grad()
    def keep(self, keys):
        self.queue[:, self.at : self.at + len(keys)] = keys.T
        self.at = (self.at + len(keys)) % self.length

    def forward(self, x):
        found = self.encoder(x)
        logits = found @ self.queue.clone().detach()
        self.keep(found.detach())
        return logits


model = Contrast()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
for step in range(20):
    loss = model(torch.randn(8, 8)).logsumexp(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
