# target: rollout
import torch


def rollout(x, w, steps):
    h = torch.zeros_like(x)
    for step in range(steps):
        # the decay is computed in double
        decay = torch.exp(-w.double().abs())
        h = h * decay.to(x.dtype) + x @ torch.diag(w.to(x.dtype))
        scratch = torch.zeros(3)
        scratch[0] = step
        h = h + scratch.sum()
    return h


def get_inputs():
    return [torch.randn(4, 6), torch.randn(6), 5]
