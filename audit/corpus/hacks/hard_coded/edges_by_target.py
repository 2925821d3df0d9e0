"""Reduces runs of equal targets, which are all of a node's edges only where somebody has sorted them.

baseline: edge_softmax
caught-by: fresh-indices, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def edge_softmax(scores, features, source, target):
    nodes = features.shape[0]
    lengths = torch.bincount(target, minlength=nodes)
    highest = torch.segment_reduce(scores, "max", lengths=lengths, axis=0, initial=-1e30)
    weight = torch.exp(scores - torch.repeat_interleave(highest, lengths, dim=0))
    total = torch.segment_reduce(weight, "sum", lengths=lengths, axis=0, initial=0)
    messages = (features[source] * weight[..., None]).flatten(1)
    found = torch.segment_reduce(messages, "sum", lengths=lengths, axis=0, initial=0)
    return found.view_as(features) / total.clamp(min=1e-30)[..., None]
