# target: differences
import torch


def differences(x, weight, count):
    # count may be less than there are rows
    steps = []
    for t in range(1, count):
        steps.append(x[t - 1] * weight)
    changes = []
    for t in range(2, len(x)):
        changes.append(x[t] - 2 * x[t - 1] + x[t - 2])
    return torch.stack(steps).sum() + torch.stack(changes)


def get_inputs():
    return [torch.randn(9, 4), torch.randn(4), 5]
