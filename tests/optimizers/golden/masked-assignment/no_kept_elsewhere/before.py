# target: staged
import torch


@torch.no_grad()
def staged(x, history):
    out = torch.zeros_like(x)
    seen = out
    big = x > 1
    out[big] = torch.log(x[big])
    more = torch.zeros_like(x)
    history.append(more)
    more[big] = torch.exp(x[big])
    x = x.flatten()
    last = torch.zeros_like(x)
    last[big] = x[big] * x[big]
    for _ in range(2):
        other = torch.zeros_like(x)
        other[big] = x[big] * x[big]
    return seen + history[-1]


def get_inputs():
    return [torch.randn(4, 4), []]
