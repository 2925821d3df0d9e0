# target: loss
import torch
import torch.nn.functional as F


def loss(logits, labels, soft, weight):
    log_p = F.log_softmax(logits, dim=-1)
    a = -(soft * log_p).sum(-1).mean()
    b = -(F.one_hot(labels, 5) * log_p * weight).sum(-1).mean()
    c = -(F.one_hot(labels, 5) * F.log_softmax(logits, dim=0)).sum(-1).mean()
    return a + b + c


def get_inputs():
    return [torch.randn(6, 5), torch.randint(0, 5, (6,)), torch.rand(6, 5), torch.rand(5)]
