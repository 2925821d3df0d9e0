# target: running
import torch


def running(x, y, weight):
    wide = x.float()
    x.mul_(2)
    rows = y
    flat = y.float()
    rows.view(-1).add_(1)
    total = wide @ weight + flat @ weight
    for _ in range(2):
        total = flat @ total
        flat = total.softmax(-1)
    return total


def get_inputs():
    return [torch.randn(4, 4).bfloat16(), torch.randn(4, 4).bfloat16(), torch.randn(4, 4)]
