# target: sums
import torch


def sums(x: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    n = x.shape[0] - 1
    h = torch.zeros_like(x[0])
    out = torch.zeros_like(x)
    more = torch.zeros_like(x)
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
        if t == n - 1:
            following = last
        else:
            following = x[t - 1]
        h = 0.5 * following * h + x[t]
        more[t] = h
    return out + more + one_before_the_last(x, last)


def one_before_the_last(x, last):
    n = x.shape[0] - 1
    h = torch.zeros_like(x[0])
    more = torch.zeros_like(x)
    for t in reversed(range(n)):
        if t == n - 2:
            following = last
        else:
            following = x[t + 1]
        h = 0.5 * following * h + x[t]
        more[t] = h
    return more


def get_inputs():
    return [torch.randn(6, 4), torch.randn(4)]
