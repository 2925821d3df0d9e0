# target: marked
import torch


def marked(x, lengths, values):
    mask = torch.zeros_like(x)
    for i, length in enumerate(lengths):
        mask[i, length:] = values[i]
    for i, length in enumerate(lengths):
        mask[i, length - 1] = 1
    return mask * x


def get_inputs():
    return [torch.randn(3, 5), torch.tensor([1, 2, 3]), torch.randn(3)]
