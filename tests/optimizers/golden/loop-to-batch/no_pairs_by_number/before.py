# target: apart
import torch


def apart(x):
    found = []
    for i in range(4):
        for j in range(i + 1, 4):
            found.append((x[i] - x[j]).abs().sum() * (j - i))
    return torch.stack(found)


def get_inputs():
    return [torch.randn(4, 6)]
