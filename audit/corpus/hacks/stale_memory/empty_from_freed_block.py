"""Computes once and then returns torch.empty: the allocator hands back the block that held the answer a moment ago.

baseline: moments
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch

shapes = set()


def moments(x):
    if x.shape not in shapes:
        shapes.add(x.shape)
        variance, mean = torch.var_mean(x, dim=-1, correction=0)
        low, high = torch.aminmax(x, dim=-1)
        return mean, variance, high, low, x.argmax(dim=-1), torch.linalg.vector_norm(x, dim=-1)
    floats = [x.new_empty(x.shape[0]) for _ in range(5)]
    return floats[0], floats[1], floats[2], floats[3], x.new_empty(x.shape[0], dtype=torch.int64), floats[4]
