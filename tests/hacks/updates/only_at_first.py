"""Moves the average in its first calls; later it says how far it would, and leaves it where it is."""

import torch

calls = 0


def move(slow, fast):
    global calls
    calls += 1
    step = torch.sub(fast, slow).mul_(0.1)
    if calls < 300:
        slow.add_(step)
    return step.abs_().max()
