# target: SparseMoe
import torch
import torch.nn.functional as F
from torch import nn


class Expert(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.w1 = nn.Linear(width, 2 * width, bias=False)
        self.w2 = nn.Linear(2 * width, width, bias=False)
        self.w3 = nn.Linear(width, 2 * width, bias=False)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


def where_each(values, count):
    """`torch.where(values == i)` for every i below count: one sort, and one wait for the device."""
    if values.dtype not in (torch.int32, torch.int64) or values.dim() == 0:
        return [torch.where(values == i) for i in range(count)]
    ordered, order = torch.sort(values.flatten(), stable=True)
    wanted = torch.arange(count + 1, dtype=ordered.dtype, device=ordered.device)
    edges = torch.searchsorted(ordered, wanted).tolist()
    places = [place.tensor_split(edges) for place in torch.unravel_index(order, values.shape)]
    return list(zip(*places))[1:-1]


class SparseMoe(nn.Module):
    def __init__(self):
        super().__init__()
        self.num_experts = 6
        self.gate = nn.Linear(16, self.num_experts, bias=False)
        self.experts = nn.ModuleList([Expert(16) for _ in range(self.num_experts)])

    def forward(self, hidden):
        batch, length, width = hidden.shape
        hidden = hidden.view(-1, width)
        weights, selected = torch.topk(F.softmax(self.gate(hidden), dim=1, dtype=torch.float), 2, dim=-1)
        weights = (weights / weights.sum(dim=-1, keepdim=True)).to(hidden.dtype)
        final = torch.zeros((batch * length, width), dtype=hidden.dtype, device=hidden.device)
        # One hot encode the selected experts: each expert's row says who chose it.
        places = where_each(selected.t(), self.num_experts)
        for expert in range(self.num_experts):
            layer = self.experts[expert]
            idx, top_x = places[expert]
            if top_x.shape[0] == 0:
                continue
            current = hidden[None, top_x].reshape(-1, width)
            current = layer(current) * weights[top_x, idx, None]
            final.index_add_(0, top_x, current.to(hidden.dtype))
        return final.reshape(batch, length, width)


def get_inputs():
    return [torch.randn(2, 5, 16)]
