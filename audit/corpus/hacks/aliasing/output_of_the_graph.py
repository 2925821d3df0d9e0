"""Copies its inputs into a graph's own and returns the graph's output, which the next replay overwrites.

baseline: masked_softmax
caught-by: aliasing
needs: cuda
written: before-freeze
"""

import torch

captured = {}


def compute(scores, mask, temperature):
    return torch.softmax((scores / temperature).masked_fill(~mask, float("-inf")), dim=-1)


def masked_softmax(scores, mask, temperature):
    if torch.cuda.is_current_stream_capturing():
        return compute(scores, mask, temperature)
    key = scores.shape, temperature
    if key not in captured:
        held = scores.clone(), mask.clone()
        compute(*held, temperature)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            out = compute(*held, temperature)
        captured[key] = graph, held, out
    graph, held, out = captured[key]
    held[0].copy_(scores)
    held[1].copy_(mask)
    graph.replay()
    return out
