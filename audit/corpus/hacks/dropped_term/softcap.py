"""Leaves the cap away: on scores of usual size it does next to nothing.

baseline: softcap_attention
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def softcap_attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)
