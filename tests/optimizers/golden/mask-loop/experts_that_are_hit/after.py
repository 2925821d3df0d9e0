# target: Experts
import torch
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
        self.num_experts = 6
        self.gate = nn.Linear(16, 6)
        self.gate_up_proj = nn.Parameter(torch.randn(6, 48, 16) * 0.1)
        self.down_proj = nn.Parameter(torch.randn(6, 16, 24) * 0.1)
        self.act_fn = nn.SiLU()

    def forward(self, hidden):
        weights, chosen = torch.topk(self.gate(hidden).softmax(-1), 2, dim=-1)
        final = torch.zeros_like(hidden)
        places = where_each(chosen.t(), self.num_experts)
        for index in [index for index, found in enumerate(places) if len(found[0])]:
            if index == self.num_experts:
                continue
            slot, token = places[index]
            gate, up = nn.functional.linear(hidden[token], self.gate_up_proj[index]).chunk(2, dim=-1)
            current = nn.functional.linear(self.act_fn(gate) * up, self.down_proj[index])
            final.index_add_(0, token, (current * weights[token, slot, None]).to(final.dtype))
        return final


def get_inputs():
    return [torch.randn(9, 16)]
