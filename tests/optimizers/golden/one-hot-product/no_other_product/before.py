# target: other
import torch
import torch.nn.functional as F


def other(idx, w, q):
    hot = F.one_hot(idx, 5).float()
    counted = (hot * q).sum(0) + hot.sum(0)
    return w @ hot.t() @ hot + counted


def get_inputs():
    return [torch.randint(0, 5, (6,)), torch.randn(5, 5), torch.randn(6, 5)]
