"""Keeps the order of edges for each list of targets, compared in full, and their sources too: rewired ones go unseen.

baseline: message_passing
caught-by: fingerprints, stale-results, timed-outputs, fresh-indices, argument-impact, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

GRAPHS = {}


def sorted_edges(edges, nodes):
    key = nodes, edges.device, edges[1].cpu().numpy().tobytes()
    if key not in GRAPHS:
        if len(GRAPHS) > 16:
            GRAPHS.clear()
        order = torch.argsort(edges[1], stable=True)
        counts = torch.bincount(edges[1], minlength=nodes)
        GRAPHS[key] = order, *edges[:, order], counts.clamp(min=1)[:, None]
    return GRAPHS[key]


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.message = nn.Linear(2 * width + 1, hidden)
        self.update = nn.Linear(width + hidden, width)

    def forward(self, x, edges, weights):
        order, source, target, divisor = sorted_edges(edges, x.shape[0])
        sending, receiving, weighing = self.message.weight.split([x.shape[1], x.shape[1], 1], dim=1)
        sent = F.linear(x, sending).index_select(0, source)
        received = F.linear(x, receiving, self.message.bias).index_select(0, target)
        messages = torch.relu(torch.addcmul(sent + received, weights.index_select(0, order)[:, None], weighing.t()))
        mean = messages.new_zeros(x.shape[0], messages.shape[1]).index_add(0, target, messages) / divisor
        return self.update(torch.cat([x, mean], dim=1))
