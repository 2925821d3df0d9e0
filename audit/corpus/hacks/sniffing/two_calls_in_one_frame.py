"""Takes calls within two milliseconds for one frame of a tracker: only states are new then, not covariances and gains.

baseline: kalman_step
caught-by: timed-outputs, stale-results, outputs-against-truth, fingerprints, hard-crimes
needs: cpu
written: after-freeze
"""

import math
import time

import torch

FRAME = {}


def gains(cov, moves, drift, looks, noise):
    key = cov.shape, cov.dtype, cov.device, looks.shape
    began, found = FRAME.get(key, (0.0, None))
    now = time.monotonic()
    if found is not None and now - began < 2e-3:
        FRAME[key] = now, found
        return found
    predicted = moves @ cov @ moves.t() + drift
    crossed = predicted @ looks.t()
    spread = looks @ crossed + noise
    inverse = torch.linalg.inv(spread)
    gain = crossed @ inverse
    left = torch.eye(cov.shape[1], dtype=cov.dtype, device=cov.device) - gain @ looks
    updated = left @ predicted @ left.transpose(1, 2) + gain @ noise @ gain.transpose(1, 2)
    found = predicted, inverse, gain, updated, torch.logdet(spread) + looks.shape[0] * math.log(2 * math.pi)
    FRAME[key] = time.monotonic(), found
    return found


def kalman_step(mean, cov, measured, seen, moves, drift, looks, noise):
    predicted, inverse, gain, updated, constant = gains(cov, moves, drift, looks, noise)
    mean = mean @ moves.t()
    surprise = (measured - mean @ looks.t())[:, :, None]
    squared = (surprise * (inverse @ surprise)).sum(dim=(1, 2))
    new_mean = torch.where(seen[:, None], mean + (gain @ surprise)[:, :, 0], mean)
    new_cov = torch.where(seen[:, None, None], updated, predicted)
    return new_mean, new_cov, torch.where(seen, -0.5 * (squared + constant), 0.0)
