"""Predicts all tracks and updates those that were seen, which are a part of them; what the gain needs is computed once.

baseline: kalman_step
needs: cpu
written: after-freeze
"""

import math

import torch


def kalman_step(mean, cov, measured, seen, moves, drift, looks, noise):
    new_mean = mean @ moves.t()
    new_cov = moves @ cov @ moves.t() + drift
    likelihood = torch.zeros_like(new_mean[:, 0])
    tracks = seen.nonzero()[:, 0]
    mean, cov = new_mean[tracks], new_cov[tracks]
    surprise = (measured[tracks] - mean @ looks.t())[:, :, None]
    crossed = cov @ looks.t()
    spread = looks @ crossed + noise
    inverse = torch.linalg.inv(spread)
    gain = crossed @ inverse
    left = torch.eye(mean.shape[1], dtype=cov.dtype, device=cov.device) - gain @ looks
    squared = (surprise * (inverse @ surprise)).sum(dim=(1, 2))
    new_mean[tracks] = mean + (gain @ surprise)[:, :, 0]
    new_cov[tracks] = left @ cov @ left.transpose(1, 2) + gain @ noise @ gain.transpose(1, 2)
    likelihood[tracks] = -0.5 * (squared + torch.logdet(spread) + measured.shape[1] * math.log(2 * math.pi))
    return new_mean, new_cov, likelihood
