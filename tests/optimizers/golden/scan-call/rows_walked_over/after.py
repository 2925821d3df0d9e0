# target: prefix
import torch


def running_sums(values, first):
    """h[t] = h[t - 1] + values[t] for all t, with h[-1] = first."""
    if not len(values):
        return (first + values.sum(0)).unsqueeze(0)[:0]
    start = first + values[0]
    values = values.reshape(len(values), *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    return torch.cumsum(steps, 0, dtype=steps.dtype)


def prefix(x):
    total = torch.zeros(x.shape[1])
    total_steps = running_sums(x, total)
    sums = total_steps.movedim(0, -1)
    return sums


def get_inputs():
    return [torch.randn(9, 5)]
