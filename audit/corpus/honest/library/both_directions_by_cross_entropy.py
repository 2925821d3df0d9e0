"""torch's cross entropy for each direction; the target of a row is its place.

baseline: info_nce
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

TEMPERATURE = 5.0


def info_nce(a, b):
    logits = a @ b.t() / TEMPERATURE
    places = torch.arange(min(logits.shape), device=logits.device)
    count = places.shape[0]
    return 0.5 * (F.cross_entropy(logits[:count], places) + F.cross_entropy(logits.t()[:count], places))
