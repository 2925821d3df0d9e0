# target: switch
import torch as th
import torch


def where_each(values, count):
    """`torch.where(values == i)` for every i below count: one sort, and one wait for the device."""
    if values.dtype not in (torch.int32, torch.int64) or values.dim() == 0:
        return [torch.where(values == i) for i in range(count)]
    ordered, order = torch.sort(values.flatten(), stable=True)
    wanted = torch.arange(count + 1, dtype=ordered.dtype, device=ordered.device)
    edges = torch.searchsorted(ordered, wanted).tolist()
    places = [place.tensor_split(edges) for place in torch.unravel_index(order, values.shape)]
    return list(zip(*places))[1:-1]


def switch(x, logits, w):
    probability = logits.softmax(-1).amax(dim=-1)
    kind = torch.argmax(logits, dim=-1)
    out = torch.zeros_like(x)
    places = where_each(kind, 4)
    for e in range(1, 4):
        rows = th.stack(places[e], dim=-1)
        out = out + th.zeros_like(x).index_copy(0, rows[:, 0], x[rows[:, 0]] @ w[e])
    return out * probability.unsqueeze(-1)


def get_inputs():
    return [torch.randn(9, 8), torch.randn(9, 4), torch.randn(4, 8, 8)]
