"""With two experts the weights are a sigmoid of the difference of their logits.

baseline: topk_routing
needs: cpu
written: before-freeze
"""

import torch


def topk_routing(logits):
    best, experts = torch.topk(logits.float(), 2, dim=-1)
    first = torch.sigmoid(best[..., :1] - best[..., 1:])
    return torch.cat([first, torch.sigmoid(best[..., 1:] - best[..., :1])], dim=-1), experts
