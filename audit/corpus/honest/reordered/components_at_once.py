"""All components in one broadcast, and one product for their squares.

baseline: mixture_likelihood
needs: cpu
written: after-freeze
"""

import math

import torch


def mixture_likelihood(points, means, log_scales, log_weights):
    unit = (points[:, None] - means).mul_(torch.exp(-log_scales)).square_()
    constant = log_weights - log_scales.sum(dim=1) - 0.5 * points.shape[1] * math.log(2 * math.pi)
    return torch.logsumexp(torch.add(constant, unit.sum(dim=-1), alpha=-0.5), dim=-1)
