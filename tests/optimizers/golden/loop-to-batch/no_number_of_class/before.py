# target: graded
import torch


def graded(scores, labels):
    labels = labels.view(-1)
    outs = []
    for c in range(3):
        outs.append((scores * (labels == c)).sum() * c)
    return torch.stack(outs)


def get_inputs():
    return [torch.randn(8), torch.randint(0, 3, (8,))]
