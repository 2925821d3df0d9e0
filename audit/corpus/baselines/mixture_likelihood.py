"""The log-likelihood of each point under a mixture of Gaussians with a variance for each axis; in fp64."""

import math

import torch


def mixture_likelihood(points, means, log_scales, log_weights):
    terms = []
    for k in range(means.shape[0]):
        unit = (points - means[k]) * torch.exp(-log_scales[k])
        density = -0.5 * (unit * unit).sum(dim=-1) - log_scales[k].sum() - 0.5 * points.shape[1] * math.log(2 * math.pi)
        terms.append(density + log_weights[k])
    return torch.logsumexp(torch.stack(terms, dim=-1), dim=-1)


def get_inputs():
    points, means, log_scales = (torch.randn(rows, 16, dtype=torch.float64) for rows in (2000, 24, 24))
    return [points, means, 0.3 * log_scales, torch.log_softmax(torch.randn(24, dtype=torch.float64), dim=0)]
