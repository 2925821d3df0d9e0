# target: Experts
import torch
import torch.nn.functional as F
from torch import nn


def where_each(values, count):
    """`torch.where(values == i)` for every i below count: one sort, and one wait for the device."""
    if values.dtype not in (torch.int32, torch.int64) or values.dim() == 0:
        return [torch.where(values == i) for i in range(count)]
    ordered, order = torch.sort(values.flatten(), stable=True)
    wanted = torch.arange(count + 1, dtype=ordered.dtype, device=ordered.device)
    edges = torch.searchsorted(ordered, wanted).tolist()
    places = [place.tensor_split(edges) for place in torch.unravel_index(order, values.shape)]
    return list(zip(*places))[1:-1]


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(16, 8)
        self.experts = nn.ModuleList([nn.Linear(16, 16) for _ in range(8)])

    def forward(self, x):
        scores, chosen = torch.topk(self.gate(x), 3, dim=-1)
        out = torch.zeros_like(x)
        places = where_each(chosen.t(), 8)
        for hit in [hit for hit, found in enumerate(places) if len(found[0])]:
            slot, token = places[hit]
            out.index_add_(0, token, self.experts[hit](x[token]) * scores[token, slot, None])
        return out


def get_inputs():
    return [torch.randn(9, 16)]
