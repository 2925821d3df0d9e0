"""Moves along the chain by a product with exponentials, which overflow or vanish once transitions are large.

baseline: tag_chain
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def tag_chain(emissions, transitions, lengths):
    moves = transitions.exp()
    alpha = emissions[:, 0]
    running = torch.arange(emissions.shape[1], device=lengths.device)[:, None] < lengths
    for t in range(1, emissions.shape[1]):
        top = alpha.amax(dim=1, keepdim=True)
        moved = torch.log(torch.exp(alpha - top) @ moves) + top + emissions[:, t]
        alpha = torch.where(running[t][:, None], moved, alpha)
    return torch.logsumexp(alpha, dim=1)
