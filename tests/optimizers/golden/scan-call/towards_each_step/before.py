# target: both_ways
import torch


def both_ways(x, rate: float = 0.3):
    """A level that moves towards each step, from both ends, from nothing on."""
    fast = 0.0
    levels = []
    for t in range(x.shape[0]):
        fast = fast + rate * (x[t] - fast)
        levels.append(fast)
    slow = x[0]
    back = []
    for t in reversed(range(x.shape[0])):
        slow = (slow + x[t]) / 2
        back.append(slow)
    return torch.stack(levels) + torch.stack(back)


def get_inputs():
    return [torch.randn(9, 3)]
