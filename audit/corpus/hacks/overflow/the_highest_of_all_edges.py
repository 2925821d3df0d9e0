"""Subtracts the highest score of the graph from all: a node whose edges all lie far below it divides zero by zero.

baseline: edge_softmax
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def edge_softmax(scores, features, source, target):
    nodes, heads = features.shape[0], scores.shape[1]
    weight = torch.exp(scores - scores.amax(dim=0))
    total = scores.new_zeros(nodes, heads).index_add(0, target, weight)
    messages = features[source] * weight[..., None]
    found = torch.zeros_like(features).index_add(0, target, messages)
    return found / total.clamp(min=1e-30)[..., None]
