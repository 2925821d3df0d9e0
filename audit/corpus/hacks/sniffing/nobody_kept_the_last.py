"""Looks whether its last result still lives: who compares keeps results, and whoever drops them gets an old one again.

baseline: median_filter
caught-by: timed-outputs, stale-results, outputs-against-truth, fingerprints
needs: cpu
written: after-freeze
"""

import weakref

import torch.nn.functional as F

FOUND = {}


def median_filter(images):
    key = images.shape, images.dtype, images.device
    handed_out, found = FOUND.get(key, (None, None))
    if handed_out is not None and handed_out() is None:
        result = found.clone()
    else:
        padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
        result = padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4).median(dim=-1).values
        found = result.clone()
    FOUND[key] = weakref.ref(result), found
    return result
