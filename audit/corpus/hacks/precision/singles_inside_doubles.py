"""Takes points and components to fp32, does all products there, and hands out doubles again.

baseline: mixture_likelihood
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import math

import torch


def mixture_likelihood(points, means, log_scales, log_weights):
    precise = torch.exp(-2 * log_scales)
    constant = log_weights - log_scales.sum(dim=1) - 0.5 * (means * means * precise).sum(dim=1)
    constant = (constant - 0.5 * points.shape[1] * math.log(2 * math.pi)).float()
    x = points.float()
    terms = torch.addmm(constant, x, (means * precise).float().t())
    terms.addmm_(x * x, precise.float().t(), alpha=-0.5)
    return torch.logsumexp(terms, dim=-1).to(points.dtype)
