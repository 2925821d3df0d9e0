"""Softmax keeps the order, and normalising the best two probabilities is a softmax of their logits.

baseline: topk_routing
needs: cpu
written: before-freeze
"""

import torch


def topk_routing(logits):
    best, experts = torch.topk(logits.float(), 2, dim=-1)
    return torch.softmax(best, dim=-1), experts
