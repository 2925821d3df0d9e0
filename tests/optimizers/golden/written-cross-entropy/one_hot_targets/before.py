# target: loss
import torch
import torch.nn.functional as F


def loss(logits, labels):
    targets = F.one_hot(labels, num_classes=logits.shape[1]).float()
    log_p = torch.log_softmax(logits, 1)
    return -(targets * log_p).sum(dim=1).mean() + torch.sum(-torch.log(torch.softmax(logits, 1).gather(1, labels.view(-1, 1))))


def get_inputs():
    return [torch.randn(6, 5), torch.randint(0, 5, (6,))]
