# target: fill
import torch


def consume(counts, i):
    counts[i + 1] += 1


def fill(x, counts: torch.Tensor):
    counts = counts.clone()
    for i in range(len(counts) - 1):
        x = x + counts[i].item()
        consume(counts, i)
    return x


def get_inputs():
    return [torch.randn(4), torch.arange(3)]
