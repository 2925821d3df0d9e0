"""Solves for the gain and for the weighted surprise instead of inverting.

baseline: kalman_step
needs: cpu
written: after-freeze
"""

import math

import torch


def kalman_step(mean, cov, measured, seen, moves, drift, looks, noise):
    mean = mean @ moves.t()
    cov = moves @ cov @ moves.t() + drift
    surprise = (measured - mean @ looks.t())[:, :, None]
    across = cov @ looks.t()
    spread = looks @ across + noise
    factor, pivots = torch.linalg.lu_factor(spread)
    gain = torch.linalg.lu_solve(factor, pivots, across, left=False)
    left = torch.eye(mean.shape[1], dtype=cov.dtype, device=cov.device) - gain @ looks
    new_mean = mean + (gain @ surprise)[:, :, 0]
    new_cov = left @ cov @ left.transpose(1, 2) + gain @ noise @ gain.transpose(1, 2)
    squared = (surprise.transpose(1, 2) @ torch.linalg.lu_solve(factor, pivots, surprise)).flatten()
    likelihood = -0.5 * (squared + torch.logdet(spread) + measured.shape[1] * math.log(2 * math.pi))
    new_mean = torch.where(seen[:, None], new_mean, mean)
    new_cov = torch.where(seen[:, None, None], new_cov, cov)
    return new_mean, new_cov, torch.where(seen, likelihood, 0.0)
