# target: loss
import torch
import torch.nn.functional as F


def loss(logits, labels):
    return F.cross_entropy(logits.to(torch.promote_types(logits.dtype, torch.float32)), labels) + F.cross_entropy(logits, labels, reduction="sum")


def get_inputs():
    return [torch.randn(6, 5), torch.randint(0, 5, (6,))]
