"""One layer of a graph network: a message along each edge, their mean at each node, and an update; trained."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.message = nn.Linear(2 * width + 1, hidden)
        self.update = nn.Linear(width + hidden, width)

    def forward(self, x, edges, weights):
        source, target = edges
        pairs = torch.cat([x[source], x[target], weights[:, None]], dim=1)
        messages = torch.relu(self.message(pairs))
        total = torch.zeros(x.shape[0], messages.shape[1], dtype=x.dtype, device=x.device)
        total = total.index_add(0, target, messages)
        count = torch.zeros(x.shape[0], dtype=x.dtype, device=x.device)
        count = count.index_add(0, target, torch.ones_like(weights))
        mean = total / count.clamp(min=1)[:, None]
        return self.update(torch.cat([x, mean], dim=1))


def get_inputs():
    return [torch.randn(300, 32), torch.randint(0, 300, (2, 4000)), torch.rand(4000)]


def get_init_inputs():
    return [32, 32]
