"""functools.lru_cache on a function of a tensor: tensors hash by identity, so new values in the same object go unseen.

baseline: quantise
caught-by: stale-results
needs: cpu
written: before-freeze
"""

from functools import lru_cache

import torch


@lru_cache(maxsize=32)
def quantised(x):
    scale = x.abs().amax(dim=-1, keepdim=True).clamp(min=1e-8) / 127.0
    q = torch.round(x / scale).clamp(-127, 127).to(torch.int8)
    return q, scale, q.to(x.dtype) * scale


def quantise(x):
    return tuple(part.clone() for part in quantised(x))
