"""The loss through logsumexp and sums, without a table of log-probabilities.

baseline: cross_entropy
needs: cpu
written: before-freeze
"""

import torch


def cross_entropy(logits, targets):
    log_z = torch.logsumexp(logits, dim=-1)
    picked = logits.gather(1, targets[:, None]).squeeze(1)
    nll = log_z - 0.9 * picked - 0.1 * logits.mean(dim=-1)
    return (nll + 1e-4 * log_z.square()).mean()
