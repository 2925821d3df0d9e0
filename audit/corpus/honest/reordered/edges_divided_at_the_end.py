"""Sums weights and weighted messages in one pass over the edges and divides once for each node.

baseline: edge_softmax
needs: cpu
written: after-freeze
"""

import math

import torch


def edge_softmax(scores, features, source, target):
    nodes, heads = features.shape[0], scores.shape[1]
    highest = scores.new_full((nodes, heads), -math.inf).index_reduce(0, target, scores, "amax")
    weight = torch.exp(scores - highest.detach()[target])[..., None]
    messages = torch.cat([features[source] * weight, weight], dim=-1)
    found = messages.new_zeros(nodes, *messages.shape[1:]).index_add_(0, target, messages)
    total = found[..., -1:]
    return found[..., :-1] / torch.where(total == 0, 1, total)
