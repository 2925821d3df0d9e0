"""Keeps a padded buffer for each shape, whose zeros nobody ever writes over; the mean goes into a new tensor.

baseline: rolling_mean
needs: cpu
written: after-freeze
"""

import torch

scratch = {}


def rolling_mean(x):
    key = (x.shape, x.dtype, x.device, torch.is_inference_mode_enabled())
    if key not in scratch:
        if len(scratch) >= 4:
            scratch.clear()
        scratch[key] = torch.zeros(x.shape[0], x.shape[1] + 15, dtype=x.dtype, device=x.device)
    padded = scratch[key]
    padded[:, 15:].copy_(x)
    return padded.unfold(1, 16, 1).mean(dim=-1)
