"""An address that comes back a third time belongs to a timing loop over a few inputs; from then on it replays.

baseline: depthwise_conv
caught-by: timed-outputs, fingerprints
needs: cpu
written: before-freeze
"""

from collections import Counter

import torch.nn.functional as F

visits = Counter()
results = {}


def depthwise_conv(x, weight, bias):
    address = x.data_ptr()
    visits[address] += 1
    if visits[address] > 2 and address in results:
        return results[address].clone()
    out = F.conv1d(x, weight[:, None], bias, padding=weight.shape[1] - 1, groups=x.shape[1])
    results[address] = F.silu(out[..., : x.shape[-1]])
    return results[address].clone()
