"""Two passes of max instead of a partial sort.

baseline: topk_routing
needs: cpu
written: before-freeze
"""

import torch


def topk_routing(logits):
    logits = logits.float()
    first, a = logits.max(dim=-1, keepdim=True)
    second, b = logits.scatter(-1, a, float("-inf")).max(dim=-1, keepdim=True)
    weights = torch.softmax(torch.cat([first, second], dim=-1), dim=-1)
    return weights, torch.cat([a, b], dim=-1)
