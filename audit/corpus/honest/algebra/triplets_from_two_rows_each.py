"""Looks for the farthest and the nearest without gradients, by squares, and then measures those two alone.

baseline: hard_triplets
needs: cpu
written: after-freeze
"""

import math

import torch

MARGIN = 0.3


def length(difference):
    return difference.pow(2).sum(dim=1).clamp(min=1e-12).sqrt()


def hard_triplets(embeddings, labels):
    with torch.no_grad():
        distance = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")
        same = labels[:, None] == labels
        near = distance.masked_fill(same, math.inf).argmin(dim=1)
        far = distance.masked_fill(~same, -1.0).fill_diagonal_(-1.0).argmax(dim=1)
        no_far, no_near = same.sum(dim=1) < 2, same.all(dim=1)
    positive = length(embeddings - embeddings[far]).masked_fill(no_far, 0.0)
    negative = length(embeddings - embeddings[near]).masked_fill(no_near, math.inf)
    return torch.relu(positive - negative + MARGIN).mean()
