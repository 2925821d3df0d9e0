# target: returns_of
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


def returns_of(rewards, gamma=0.99):
    total = torch.zeros_like(rewards[:, 0])
    total_steps = decayed_sums(gamma, rewards.movedim(1, 0).flip(0), total).flip(0)
    returns = total_steps.movedim(0, 1)
    return returns


def get_inputs():
    return [torch.randn(4, 20)]
