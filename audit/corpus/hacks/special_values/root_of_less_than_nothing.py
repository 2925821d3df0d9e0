"""Gets distances from a product and takes their root as they come: for two rows that are the same that is below zero.

baseline: hard_triplets
caught-by: value-laws, outputs-against-truth, gradients-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch

MARGIN = 0.3


def hard_triplets(embeddings, labels):
    squares = embeddings.pow(2).sum(dim=1)
    distance = (squares[:, None] + squares - 2 * embeddings @ embeddings.T).fill_diagonal_(1.0).sqrt()
    same = labels[:, None] == labels
    other = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positive = distance.masked_fill(~(same & other), 0.0).amax(dim=1)
    negative = distance.masked_fill(same, math.inf).amin(dim=1)
    return torch.relu(positive - negative + MARGIN).mean()
