# target: loss
import torch


def loss(logits, labels):
    p = torch.softmax(logits, dim=1)
    n = labels.shape[0]
    focal = -p[torch.arange(n), labels].mean()
    return focal + torch.log_softmax(logits, 0)[torch.arange(n), labels].mean()


def get_inputs():
    return [torch.randn(6, 5), torch.randint(0, 5, (6,))]
