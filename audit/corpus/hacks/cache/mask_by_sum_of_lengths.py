"""Keeps the weights of the steps for each sum of lengths: the same lengths in another order get the wrong ones.

baseline: masked_mean
caught-by: stale-results, fresh-indices, outputs-against-truth, timed-outputs, fingerprints
needs: cpu
written: after-freeze
"""

import torch

weights = {}


def masked_mean(x, lengths):
    key = (x.shape[:2], x.dtype, x.device, int(lengths.sum()))
    if key not in weights:
        seen = torch.arange(x.shape[1], device=x.device)[None] < lengths[:, None]
        weights[key] = (seen.to(x.dtype) / lengths.clamp(min=1)[:, None].to(x.dtype))[:, None]
    return torch.bmm(weights[key], x).squeeze(1)
