# target: attend
import torch as th


def similarity(a, b, scale):
    return th.matmul(a, b.transpose(-1, -2)) * scale


def attend(q, k, v):
    """Keys of another length than the queries."""
    scale = q.size(-1) ** -0.5
    return th.nn.functional.scaled_dot_product_attention(q, k, v, scale=scale)


def get_inputs():
    return [th.randn(2, 3, 5, 8), th.randn(2, 3, 7, 8), th.randn(2, 3, 7, 8)]
