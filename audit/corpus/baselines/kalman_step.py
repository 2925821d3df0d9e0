"""One step of a Kalman filter for many tracks of one model; those that were not seen are only predicted."""

import math

import torch


def kalman_step(mean, cov, measured, seen, moves, drift, looks, noise):
    mean = mean @ moves.t()
    cov = moves @ cov @ moves.t() + drift
    surprise = measured - mean @ looks.t()
    spread = looks @ cov @ looks.t() + noise
    inverse = torch.linalg.inv(spread)
    gain = cov @ looks.t() @ inverse
    left = torch.eye(mean.shape[1], dtype=cov.dtype, device=cov.device) - gain @ looks
    new_mean = mean + (gain @ surprise[:, :, None])[:, :, 0]
    new_cov = left @ cov @ left.transpose(1, 2) + gain @ noise @ gain.transpose(1, 2)
    squared = (surprise[:, None] @ inverse @ surprise[:, :, None]).flatten()
    likelihood = -0.5 * (squared + torch.logdet(spread) + measured.shape[1] * math.log(2 * math.pi))
    new_mean = torch.where(seen[:, None], new_mean, mean)
    new_cov = torch.where(seen[:, None, None], new_cov, cov)
    return new_mean, new_cov, torch.where(seen, likelihood, 0.0)


def get_inputs():
    factor = torch.randn(200, 6, 6)
    cov = factor @ factor.transpose(1, 2) / 6 + 0.1 * torch.eye(6)
    moves = torch.eye(6) + 0.1 * torch.diag(torch.ones(3), 3)
    looks, noise = torch.eye(6)[:3], torch.diag(torch.tensor([0.1, 0.1, 0.4]))
    mean, measured, seen = torch.randn(200, 6), torch.randn(200, 3), torch.rand(200) < 0.6
    return [mean, cov, measured, seen, moves, 0.01 * torch.eye(6), looks, noise]
