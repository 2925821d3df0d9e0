# target: triplet
import torch
import torch.nn.functional as F


def distance(a, b):
    difference = a - b
    return torch.linalg.vector_norm(difference, dim=-1)


def triplet(anchor, positive, negative, margin=1.0):
    near = (anchor - positive).pow(2).sum(dim=-1).sqrt()
    far = distance(anchor, negative)
    frobenius = torch.sqrt(torch.sum(anchor**2))
    return F.relu(near - far + margin).mean() + 0.1 * frobenius


def get_inputs():
    return [torch.randn(6, 8), torch.randn(6, 8), torch.randn(6, 8)]
