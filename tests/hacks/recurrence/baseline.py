"""A decaying sum over steps, and where it ends, from which the next call may go on."""

import torch


def decayed(x, state=None):
    if state is None:
        state = torch.zeros_like(x[:, 0])
    steps = []
    for step in x.unbind(dim=1):
        state = 0.9 * state + step
        steps.append(state)
    return torch.stack(steps, dim=1), state


def get_inputs():
    return [torch.randn(6, 20, 8)]
