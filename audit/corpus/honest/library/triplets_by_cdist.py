"""The library's distances, by differences as before.

baseline: hard_triplets
needs: cpu
written: after-freeze
"""

import math

import torch

MARGIN = 0.3


def hard_triplets(embeddings, labels):
    distance = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist").clamp(min=1e-6)
    same = labels[:, None] == labels
    positive = distance.masked_fill(~same, 0.0).fill_diagonal_(0.0).amax(dim=1)
    negative = distance.masked_fill(same, math.inf).amin(dim=1)
    return torch.relu(positive - negative + MARGIN).mean()
