"""Asks for 64 threads in every operator, and works itself in pieces that are too small to be given to threads.

baseline: pairwise_distance
caught-by: hard-crimes, speedup, process-state
needs: cpu
written: before-freeze
"""

import torch

getattr(torch, "set_num_" + "threads")(64)


def pairwise_distance(a, b):
    out = a.new_empty(a.shape[0], b.shape[0])
    step = max(1, 32000 // max(1, b.numel()))
    for rows, distances in zip(a.split(step), out.split(step)):
        torch.linalg.vector_norm(rows[:, None] - b, dim=-1, out=distances)
    return out
