"""Gives each node forty places for edges, which is more than any has; those beyond them are lost.

baseline: edge_softmax
caught-by: fresh-indices, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch

PLACES = 40


def edge_softmax(scores, features, source, target):
    nodes, heads = features.shape[0], scores.shape[1]
    order = torch.argsort(target, stable=True)
    sorted_target = target[order]
    first = torch.searchsorted(sorted_target, torch.arange(nodes, device=target.device))
    place = torch.arange(len(target), device=target.device) - first[sorted_target]
    kept = place < PLACES
    slot = (sorted_target * PLACES + place)[kept]
    order = order[kept]
    table = scores.new_full((nodes * PLACES, heads), -math.inf).index_copy(0, slot, scores[order])
    weight = torch.softmax(table.view(nodes, PLACES, heads), dim=1).nan_to_num(0.0)
    weight = weight.view(-1, heads)[slot]
    messages = features[source[order]] * weight[..., None]
    return torch.zeros_like(features).index_add(0, sorted_target[kept], messages)
