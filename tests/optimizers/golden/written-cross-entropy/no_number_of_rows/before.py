# target: loss
import torch


def loss(logits, labels, n):
    log_p = torch.log_softmax(logits, dim=1)
    first = -log_p[torch.arange(n), labels].mean()
    return first - torch.log_softmax(logits, dim=1)[range(1), labels].sum()


def get_inputs():
    return [torch.randn(6, 5), torch.randint(0, 5, (6,)), 6]
