# target: rollout
import torch


def rollout(x, w, steps):
    h = torch.zeros_like(x)
    decay = torch.exp(-w.double().abs())
    decay_cast = decay.to(x.dtype)
    invariant_once = x @ torch.diag(w.to(x.dtype))
    for step in range(steps):
        # the decay is computed in double
        h = h * decay_cast + invariant_once
        scratch = torch.zeros(3)
        scratch[0] = step
        h = h + scratch.sum()
    return h


def get_inputs():
    return [torch.randn(4, 6), torch.randn(6), 5]
