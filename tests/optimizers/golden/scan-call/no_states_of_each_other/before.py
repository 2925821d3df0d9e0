# target: turning
import torch


def turning(x, angle):
    a = torch.zeros_like(x[:, 0])
    b = torch.ones_like(x[:, 0])
    found = []
    for t in range(x.shape[1]):
        a = angle * a - 0.5 * b + x[:, t]
        b = angle * b + 0.5 * a
        found.append(a * b)
    return torch.stack(found, dim=1)


def get_inputs():
    return [torch.randn(2, 6, 3), torch.tensor(0.8)]
