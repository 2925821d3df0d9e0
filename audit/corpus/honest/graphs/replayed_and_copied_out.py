"""A CUDA graph for each shape: inputs are copied in, the result is copied out.

baseline: softcap_attention
needs: cuda
written: before-freeze
"""

import torch

graphs = {}


def attend(q, k, v):
    scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5 / 50.0).tanh_().mul_(50.0)
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    return torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v


def capture(*inputs):
    held = [tensor.clone() for tensor in inputs]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            attend(*held)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = attend(*held)
    return graph, held, out


def softcap_attention(q, k, v):
    if torch.cuda.is_current_stream_capturing():
        return attend(q, k, v)
    key = q.shape, k.shape, q.dtype, q.device
    if key not in graphs:
        graphs[key] = capture(q, k, v)
    graph, held, out = graphs[key]
    for old, new in zip(held, (q, k, v)):
        old.copy_(new)
    graph.replay()
    return out.clone()
