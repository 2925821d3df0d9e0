# target: walk
import torch


def walk(x, w, steps):
    view = w.t()
    for _ in range(steps):
        noise = torch.randn(3)
        buffer = torch.zeros(x.shape[0])
        buffer += x.sum(1)
        view.mul_(0.5)
        x = x * w.exp().sum() + buffer[:, None] + 0 * noise.sum()
    return x


def get_inputs():
    return [torch.randn(4, 6), torch.randn(6, 6), 2]
