"""Takes a mask like the original, and never looks at it.

baseline: attention_pool
caught-by: argument-impact, contract, other-uses, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def attention_pool(x, queries, mask=None):
    scores = (queries * queries.shape[1] ** -0.5) @ x.transpose(1, 2)
    return torch.softmax(scores, dim=-1) @ x
