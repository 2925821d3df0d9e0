# target: shifted
import torch


def shifted(x, cuts):
    mask = torch.zeros_like(x)
    for i in range(1, len(cuts)):
        mask[cuts[i - 1] : cuts[i]] = x[i]
    for i in range(1, len(cuts)):
        mask[cuts[i - 1] : cuts[i]] += 1
    for low, high in zip(cuts[:-1], cuts[1:]):
        mask[low : high - 1] = 1
    for low, high in zip(cuts[:-1], cuts[1:]):
        mask[low:high] = 1
    return mask * high


def get_inputs():
    return [torch.randn(5), torch.tensor([0, 2, 5])]
