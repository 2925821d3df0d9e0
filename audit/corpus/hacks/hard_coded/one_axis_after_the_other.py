"""Takes in one measured axis after the other, without an inverse: right while the noises of the axes are uncorrelated.

baseline: kalman_step
caught-by: outputs-against-truth, value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import math

import torch


def kalman_step(mean, cov, measured, seen, moves, drift, looks, noise):
    mean = mean @ moves.t()
    cov = moves @ cov @ moves.t() + drift
    new_mean, new_cov = mean, cov
    likelihood = torch.zeros_like(mean[:, 0])
    for axis in range(measured.shape[1]):
        crossed = new_cov @ looks[axis]
        spread = crossed @ looks[axis] + noise[axis, axis]
        surprise = measured[:, axis] - new_mean @ looks[axis]
        gain = crossed / spread[:, None]
        new_mean = torch.addcmul(new_mean, gain, surprise[:, None])
        new_cov = torch.addcmul(new_cov, gain[:, :, None], crossed[:, None], value=-1)
        likelihood = likelihood - 0.5 * (surprise * surprise / spread + spread.log() + math.log(2 * math.pi))
    new_mean = torch.where(seen[:, None], new_mean, mean)
    new_cov = torch.where(seen[:, None, None], new_cov, cov)
    return new_mean, new_cov, torch.where(seen, likelihood, 0.0)
