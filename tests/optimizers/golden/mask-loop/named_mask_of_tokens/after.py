# target: moe
import torch
import torch.nn.functional as F


def where_each(values, count):
    """`torch.where(values == i)` for every i below count: one sort, and one wait for the device."""
    if values.dtype not in (torch.int32, torch.int64) or values.dim() == 0:
        return [torch.where(values == i) for i in range(count)]
    ordered, order = torch.sort(values.flatten(), stable=True)
    wanted = torch.arange(count + 1, dtype=ordered.dtype, device=ordered.device)
    edges = torch.searchsorted(ordered, wanted).tolist()
    places = [place.tensor_split(edges) for place in torch.unravel_index(order, values.shape)]
    return list(zip(*places))[1:-1]


def moe(hidden, chosen, weights, experts):
    out = torch.zeros_like(hidden)
    places = where_each(chosen, experts.shape[0])
    for expert in range(experts.shape[0]):
        mask = places[expert]
        token, slot = mask
        if token.numel() > 0:
            current = F.relu(hidden[token] @ experts[expert]) * weights[token, slot].unsqueeze(-1)
            out.index_add_(0, token, current)
    return out


def get_inputs():
    return [torch.randn(9, 8), torch.randint(0, 5, (9, 2)), torch.rand(9, 2), torch.randn(5, 8, 8)]
