"""Has its own causal mask and never looks at the one that it is given.

baseline: masked_softmax
caught-by: argument-impact, fresh-indices, value-laws
needs: cpu
written: before-freeze
"""

import torch

causal = {}


def masked_softmax(scores, mask, temperature):
    n = scores.shape[-1]
    if n not in causal:
        causal[n] = torch.full((n, n), float("-inf"), device=scores.device).triu_(1)
    return torch.softmax(scores.div(temperature).add_(causal[n]), dim=-1)
