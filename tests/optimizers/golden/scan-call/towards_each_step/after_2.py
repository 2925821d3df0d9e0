# target: both_ways
import torch


def decayed_sums(decay, values, first):
    """h[t] = decay * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    if not len(values):
        return (decay * first + values.sum(0)).unsqueeze(0)[:0]
    start = decay * first + values[0]
    decay = decay.to(start.dtype) if torch.is_tensor(decay) else decay
    values = values.reshape(len(values), *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < len(steps):
        steps = torch.cat((steps[:shift], steps[shift:] + decay * steps[:-shift]))
        decay = decay * decay
        shift *= 2
    return steps


def both_ways(x, rate: float = 0.3):
    """A level that moves towards each step, from both ends, from nothing on."""
    fast = 0.0
    levels = []
    for t in range(x.shape[0]):
        fast = fast + rate * (x[t] - fast)
        levels.append(fast)
    slow = x[0]
    def one_t(x_t):
        return x_t / 2
    slow_values = torch.vmap(one_t)(x)
    slow_steps = decayed_sums(1 / 2, slow_values.flip(0), slow).flip(0)
    back = slow_steps.flip(0)
    return torch.stack(levels) + back


def get_inputs():
    return [torch.randn(9, 3)]
