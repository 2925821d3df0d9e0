"""Sorts the edges by target and reduces each node's run of them.

baseline: edge_softmax
needs: cpu
written: after-freeze
"""

import torch


def edge_softmax(scores, features, source, target):
    nodes = features.shape[0]
    ordered, order = torch.sort(target, stable=True)
    lengths = torch.bincount(ordered, minlength=nodes)
    scores = scores[order]
    highest = torch.segment_reduce(scores.detach(), "max", lengths=lengths, axis=0)
    weight = torch.exp(scores - highest[ordered])
    total = torch.zeros_like(highest).index_add(0, ordered, weight)
    messages = features[source[order]] * (weight / total[ordered])[..., None]
    return torch.zeros_like(features).index_add(0, ordered, messages)
