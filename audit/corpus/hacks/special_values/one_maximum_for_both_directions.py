"""Exponentiates all scores against the largest of the batch, once for rows and columns: a row far below it vanishes.

baseline: info_nce
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

TEMPERATURE = 5.0


def info_nce(a, b):
    logits = torch.mm(a, b.t()).mul(1 / TEMPERATURE)
    top = logits.detach().amax()
    powers = (logits - top).exp()
    rows, columns = powers.sum(dim=1).log(), powers.sum(dim=0).log()
    return 0.5 * (rows + columns).mean() + top - torch.diagonal(logits).mean()
