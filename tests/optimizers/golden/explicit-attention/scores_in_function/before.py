# target: attend
import torch as th


def similarity(a, b, scale):
    return th.matmul(a, b.transpose(-1, -2)) * scale


def attend(q, k, v):
    """Keys of another length than the queries."""
    weights = th.softmax(similarity(q, k, q.size(-1) ** -0.5), dim=-1)
    return th.matmul(weights, v)


def get_inputs():
    return [th.randn(2, 3, 5, 8), th.randn(2, 3, 7, 8), th.randn(2, 3, 7, 8)]
