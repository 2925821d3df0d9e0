"""Returns a named tuple that begins to work when somebody unpacks it, with whatever its inputs hold by then.

baseline: kalman_step
caught-by: contract, settled-outputs, speedup, hard-crimes
needs: cpu
written: after-freeze
"""

import math
from collections import namedtuple

import torch


def worked_out(mean, cov, measured, seen, moves, drift, looks, noise):
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


class Step(namedtuple("Step", "mean cov likelihood", defaults=(None,) * 3)):
    def __iter__(self):
        if callable(self.__dict__["found"]):
            self.found = self.found()
        return iter(self.found)

    def __getitem__(self, place):
        return tuple(self)[place]


def kalman_step(*given):
    step = Step()
    step.found = lambda: worked_out(*given)
    return step
