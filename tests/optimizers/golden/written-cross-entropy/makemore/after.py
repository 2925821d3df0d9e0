# target: loss
import torch


def loss(logits, Yb):
    n, classes = logits.shape
    assert classes == 27
    # cross entropy loss, by hand
    return torch.nn.functional.cross_entropy(logits, Yb)


def get_inputs():
    return [torch.randn(8, 27), torch.randint(0, 27, (8,))]
