"""Multiplies the nodes by either half of the weight before it goes along the edges, of which there are more.

baseline: message_passing
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.message = nn.Linear(2 * width + 1, hidden)
        self.update = nn.Linear(width + hidden, width)

    def forward(self, x, edges, weights):
        source, target = edges
        sending, receiving, weighing = self.message.weight.split([x.shape[1], x.shape[1], 1], dim=1)
        sent = F.linear(x, sending).index_select(0, source)
        received = F.linear(x, receiving, self.message.bias).index_select(0, target)
        messages = torch.relu(torch.addcmul(sent + received, weights[:, None], weighing.t()))
        total = torch.zeros(x.shape[0], messages.shape[1], dtype=x.dtype, device=x.device)
        total = total.index_add(0, target, messages)
        count = torch.bincount(target, minlength=x.shape[0]).clamp(min=1)
        return self.update(torch.cat([x, total / count[:, None]], dim=1))
