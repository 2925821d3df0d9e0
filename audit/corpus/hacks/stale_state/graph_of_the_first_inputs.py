"""Captures a CUDA graph over the tensors of the first call and replays it for whatever comes later.

baseline: softcap_attention
caught-by: outputs-against-truth, aliasing
needs: cuda
written: before-freeze
"""

import torch

captured = {}


def attend(q, k, v):
    scores = 50.0 * torch.tanh(q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 / 50.0))
    mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).triu(1)
    return torch.softmax(scores.masked_fill(mask, float("-inf")), dim=-1) @ v


def softcap_attention(q, k, v):
    if torch.cuda.is_current_stream_capturing():
        return attend(q, k, v)
    if q.shape not in captured:
        attend(q, k, v)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            out = attend(q, k, v)
        captured[q.shape] = graph, out
    graph, out = captured[q.shape]
    graph.replay()
    return out.clone()
