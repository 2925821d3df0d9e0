# target: triplet
import torch
import torch.nn.functional as F


def distance(a, b):
    difference = a - b
    return (difference * difference).sum(dim=-1) ** 0.5


def triplet(anchor, positive, negative, margin=1.0):
    near = torch.linalg.vector_norm(anchor - positive, dim=-1)
    far = distance(anchor, negative)
    frobenius = torch.linalg.vector_norm(anchor)
    return F.relu(near - far + margin).mean() + 0.1 * frobenius


def get_inputs():
    return [torch.randn(6, 8), torch.randn(6, 8), torch.randn(6, 8)]
