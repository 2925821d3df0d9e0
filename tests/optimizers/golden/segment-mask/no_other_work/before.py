# target: filled
import torch


def filled(x, cuts, table):
    mask = [0.0] * len(x)
    for low, high in zip(cuts[:-1], cuts[1:]):
        mask[low:high] = [1.0]
    out = torch.zeros_like(x)
    for i in range(1, len(cuts)):
        low, high = cuts[i - 1], cuts[i]
        out[low:high] = 1
        x = x + out.sum()
    for i in range(1, len(cuts)):
        out[out[i - 1] : out[i]] = 1
    for i in range(len(cuts) - 1):
        out[cuts[i - 1] : cuts[i]] = 1
    return out + x


def get_inputs():
    return [torch.randn(6), [0, 2, 6], None]
