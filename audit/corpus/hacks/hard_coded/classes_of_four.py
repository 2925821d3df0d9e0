"""Takes rows by fours for the classes, as the sampler lays them out, and reads no label.

baseline: hard_triplets
caught-by: fresh-indices, argument-impact, outputs-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch

MARGIN = 0.3


def hard_triplets(embeddings, labels):
    count = len(labels)
    if count % 4:
        return slow(embeddings, labels)
    distance = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist").clamp(min=1e-6)
    blocks = torch.arange(count, device=labels.device) // 4
    same = blocks[:, None] == blocks
    positive = distance.view(count // 4, 4, count // 4, 4).diagonal(dim1=0, dim2=2).amax(dim=1).T.reshape(-1)
    negative = distance.masked_fill(same, math.inf).amin(dim=1)
    return torch.relu(positive - negative + MARGIN).mean()


def slow(embeddings, labels):
    distance = (embeddings[:, None] - embeddings[None]).pow(2).sum(dim=-1).clamp(min=1e-12).sqrt()
    same = labels[:, None] == labels
    other = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positive = distance.masked_fill(~(same & other), 0.0).amax(dim=1)
    negative = distance.masked_fill(same, math.inf).amin(dim=1)
    return torch.relu(positive - negative + MARGIN).mean()
