"""Takes all next tags in one reduction.

baseline: tag_chain
needs: cpu
written: after-freeze
"""

import torch


def tag_chain(emissions, transitions, lengths):
    alpha = emissions[:, 0]
    into = transitions.t().contiguous()
    for t in range(1, emissions.shape[1]):
        moved = torch.logsumexp(alpha[:, None] + into, dim=2) + emissions[:, t]
        alpha = torch.where((t < lengths)[:, None], moved, alpha)
    return torch.logsumexp(alpha, dim=1)
