# target: loss
import torch
import torch.nn.functional as F


def loss(logits, targets, weight, how="mean"):
    a = F.cross_entropy(logits, targets, label_smoothing=0.1)
    b = F.cross_entropy(logits, targets, weight=weight)
    c = F.cross_entropy(logits, targets, reduction=how)
    d = F.cross_entropy(target=targets, input=logits)
    return a + b + c + d


def get_inputs():
    return [torch.randn(4, 30), torch.randint(0, 30, (4,)), torch.rand(30)]
