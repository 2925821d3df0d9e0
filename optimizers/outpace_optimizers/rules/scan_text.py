"""The functions that a scan is written with, as text for a user's file."""

from __future__ import annotations

LINEAR_SCAN = '''def linear_scan(decays, values, first):
    """h[t] = decays[t] * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    start = decays[0] * first + values[0]
    count = len(values)
    decays = decays.reshape(count, *[1] * (start.dim() + 1 - decays.dim()), *decays.shape[1:])
    values = values.reshape(count, *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < count:
        steps = torch.cat((steps[:shift], steps[shift:] + decays[shift:] * steps[:-shift]))
        decays = torch.cat((decays[:shift], decays[shift:] * decays[:-shift]))
        shift *= 2
    return steps
'''

DECAYED_SUMS = '''def decayed_sums(decay, values, first):
    """h[t] = decay * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    start = decay * first + values[0]
    values = values.reshape(len(values), *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < len(steps):
        steps = torch.cat((steps[:shift], steps[shift:] + decay * steps[:-shift]))
        decay = decay * decay
        shift *= 2
    return steps
'''

RUNNING_SUMS = '''def running_sums(values, first):
    """h[t] = h[t - 1] + values[t] for all t, with h[-1] = first."""
    start = first + values[0]
    values = values.reshape(len(values), *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    return torch.cumsum(steps, 0, dtype=steps.dtype)
'''
