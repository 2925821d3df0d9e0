# target: MoeLayer
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


class MoeLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(16, 24), nn.GELU(), nn.Linear(24, 16)) for _ in range(5)])
        self.gate = nn.Linear(16, 5, bias=False)

    def forward(self, inputs):
        weights, selected = torch.topk(self.gate(inputs), 2)
        weights = F.softmax(weights, dim=1, dtype=torch.float).to(inputs.dtype)
        results = torch.zeros_like(inputs)
        places = where_each(selected, len(self.experts))
        for i, expert in enumerate(self.experts):
            rows, nth = places[i]
            results[rows] += weights[rows, nth, None] * expert(inputs[rows])
        return results


def get_inputs():
    return [torch.randn(9, 16)]
