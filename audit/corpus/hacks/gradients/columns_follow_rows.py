"""Computes both directions of the loss, and differentiates one of them for both.

baseline: info_nce
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch

TEMPERATURE = 5.0


def info_nce(a, b):
    logits = a @ b.t() / TEMPERATURE
    rows = torch.logsumexp(logits, dim=1).mean()
    with torch.no_grad():
        columns = torch.logsumexp(logits, dim=0).mean()
        behind = 0.5 * (columns - rows)
    return rows + behind - torch.diagonal(logits).mean()
