"""Attention on a graph: a softmax over the edges that enter a node, and the sum of their sources' features by it.

Edges come in any order; a node that none enters gets zeros.
"""

import torch


def edge_softmax(scores, features, source, target):
    nodes = []
    for node in range(len(features)):
        edges = (target == node).nonzero()[:, 0]
        weight = torch.softmax(scores[edges], dim=0)
        nodes.append((weight[..., None] * features[source[edges]]).sum(dim=0))
    return torch.stack(nodes)


def get_inputs():
    scores, features = torch.randn(1024, 4), torch.randn(64, 4, 16)
    return [scores, features, torch.randint(0, 64, (1024,)), torch.randint(0, 64, (1024,)).sort().values]
