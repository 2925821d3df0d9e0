"""The functions that a scan is written with, as text for a user's file."""

from __future__ import annotations

LINEAR_SCAN = '''def linear_scan(decays, values, first):
    """h[t] = decays[t] * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    if not len(values):
        return (decays.sum(0) * first + values.sum(0)).unsqueeze(0)[:0]
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
'''

RUNNING_SUMS = '''def running_sums(values, first):
    """h[t] = h[t - 1] + values[t] for all t, with h[-1] = first."""
    if not len(values):
        return (first + values.sum(0)).unsqueeze(0)[:0]
    start = first + values[0]
    values = values.reshape(len(values), *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    return torch.cumsum(steps, 0, dtype=steps.dtype)
'''

SCANNED_STATES = '''def scanned_states(decays, values, first, zeros=False):
    """What linear_scan gives, by one kernel where it takes them. `zeros`: whether that is what `first` has."""
    if not len(values):
        return linear_scan(decays, values, first)
    start = decays[0] * first + values[0]
    shape = (len(values), *start.shape)
    gate, value = (
        one.reshape(len(one), *[1] * (len(shape) - one.dim()), *one.shape[1:]).expand(shape) for one in (decays, values)
    )
    batch = start.shape[0] if start.dim() > 1 else 1
    if start.is_cuda and start.numel():
        value = value.to(start.dtype) if zeros else torch.cat((start.unsqueeze(0), value[1:].to(start.dtype)))
        gate, value = (one.reshape(len(one), batch, -1).transpose(0, 1) for one in (gate, value))
        if gated_scan_fits(gate, value):
            return fused_gated_scan(gate, value).transpose(0, 1).reshape(shape).to(start.dtype)
    return linear_scan(decays, values, first)
'''

DECAYED_STATES = '''def decayed_states(decay, values, first, zeros=False):
    """What decayed_sums gives, by the same kernel."""
    if not len(values):
        return decayed_sums(decay, values, first)
    start = decay * first + values[0]
    if not start.is_cuda or start.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        return decayed_sums(decay, values, first)
    decay = decay.to(start.device) if torch.is_tensor(decay) else start.new_full((), decay, dtype=torch.float32)
    return scanned_states(decay.expand(len(values), *start.shape), values, first, zeros).to(start.dtype)
'''
