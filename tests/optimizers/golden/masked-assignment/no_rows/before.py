# target: pick
import torch


@torch.no_grad()
def pick(x, table):
    out = torch.zeros_like(x)
    busy = x > 0.5
    out[busy] = x[busy].cumsum(0)
    first = torch.zeros_like(x)
    rows = x.sum(1) > 0
    first[rows] = x[rows] * 2
    out[busy] = torch.arange(busy.sum(), device=x.device).to(x.dtype) * x[busy]
    mean = x[busy].mean()
    out[busy] = x[busy] - mean
    return out + first


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4)]
