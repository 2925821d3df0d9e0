"""Its backward pass reads the distances from a buffer that the next forward pass overwrites.

baseline: hard_triplets
caught-by: gradients-against-truth, held-results, other-uses, aliasing
needs: cpu
written: after-freeze
"""

import math

import torch

MARGIN = 0.3
workspace = {}


def buffer(embeddings):
    key = embeddings.shape[0], embeddings.dtype, embeddings.device
    if key not in workspace:
        workspace[key] = (
            embeddings.new_empty(2, embeddings.shape[0]),
            torch.empty(2, embeddings.shape[0], dtype=torch.long, device=embeddings.device),
        )
    return workspace[key]


class Triplets(torch.autograd.Function):
    @staticmethod
    def forward(ctx, embeddings, labels):
        lengths, partners = buffer(embeddings)
        distance = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist").clamp_(min=1e-6)
        same = labels[:, None] == labels
        alone = same.sum(dim=1) == 1
        near = distance.masked_fill(same, math.inf).min(dim=1)
        far = distance.masked_fill_(~same, 0.0).fill_diagonal_(0.0).max(dim=1)
        lengths[0], lengths[1] = far.values, near.values
        partners[0], partners[1] = far.indices, near.indices
        loss = far.values - near.values + MARGIN
        ctx.save_for_backward(embeddings, loss > 0, alone)
        return loss.relu_().mean()

    @staticmethod
    def backward(ctx, grad):
        embeddings, active, alone = ctx.saved_tensors
        lengths, partners = buffer(embeddings)
        share = (grad / len(active)) * active
        found = torch.zeros_like(embeddings)
        for row, sign in ((0, share * ~alone), (1, -share)):
            unit = (embeddings - embeddings[partners[row]]) / lengths[row][:, None].clamp(min=1e-6)
            step = unit * sign[:, None]
            found.add_(step).index_add_(0, partners[row], step, alpha=-1)
        return found, None


def hard_triplets(embeddings, labels):
    return Triplets.apply(embeddings, labels)
