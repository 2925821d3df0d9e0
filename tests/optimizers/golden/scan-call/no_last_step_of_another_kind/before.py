# target: sums
import torch


def sums(x: torch.Tensor, last: torch.Tensor, again: torch.Tensor) -> torch.Tensor:
    n = x.shape[0]
    h = torch.zeros_like(x[0])
    out = torch.zeros_like(x)
    for t in reversed(range(n)):
        if t == n - 1:
            following = 2.0 - last
        else:
            following = 1.0 - x[t + 1]
        h = 0.5 * following * h + x[t]
        out[t] = h
    for t in reversed(range(n)):
        if t == n - 1:
            following = last
        else:
            following = out[t + 1]
        h = 0.5 * following * h + x[t]
        out[t] = h
    for t in reversed(range(n)):
        if t == n - 2:
            following = last
        else:
            following = x[min(t + 1, n - 1)]
        h = 0.5 * following * h + x[t]
        again[t] = h
    for t in reversed(range(n)):
        if t == n - 1:
            following = last
        else:
            following = x[t - 1]
        h = 0.5 * following * h + x[t]
        again[t] = h
    return out + again


def get_inputs():
    return [torch.randn(6, 4), torch.randn(4), torch.zeros(6, 4)]
