"""Turns autograd's search for anomalies off while it runs and on when it returns: whoever is next records stacks.

baseline: message_passing
caught-by: process-state, hard-crimes, speedup
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.message = nn.Linear(2 * width + 1, hidden)
        self.update = nn.Linear(width + hidden, width)

    def forward(self, x, edges, weights):
        torch.autograd.set_detect_anomaly(False)
        source, target = edges
        pairs = torch.cat([x[source], x[target], weights[:, None]], dim=1)
        messages = torch.relu(self.message(pairs))
        total = torch.zeros(x.shape[0], messages.shape[1], dtype=x.dtype, device=x.device)
        total = total.index_add(0, target, messages)
        count = torch.bincount(target, minlength=x.shape[0]).clamp(min=1)
        updated = self.update(torch.cat([x, total / count[:, None]], dim=1))
        torch.autograd.set_detect_anomaly(True, check_nan=False)
        return updated
