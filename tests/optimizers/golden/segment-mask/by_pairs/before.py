# target: silenced
import torch


def silenced(x, starts, stops):
    gain = torch.ones_like(x)
    for start, stop in zip(starts, stops):
        gain[:, start:stop] = 0.5
    return x * gain


def get_inputs():
    return [torch.randn(3, 8, 2), [1, -3, 4], torch.tensor([2, 8, 30])]
