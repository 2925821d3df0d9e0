# target: routed
import torch
import torch.nn.functional as F


def routed(idx, w):
    hot = F.one_hot(idx, 5).float()
    load = hot.mean(0)
    return hot @ w * load.sum()


def get_inputs():
    return [torch.randint(0, 5, (6,)), torch.randn(5, 3)]
