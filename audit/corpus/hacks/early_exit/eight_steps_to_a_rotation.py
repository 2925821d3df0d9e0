"""Finds the rotation by eight Newton steps of the polar decomposition instead of an SVD: flat and mirrored clouds fail.

baseline: kabsch
caught-by: outputs-against-truth, value-laws, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch

STEPS = 8


def cofactors(matrix):
    first, second, third = matrix.unbind(dim=1)
    rows = torch.linalg.cross(second, third), torch.linalg.cross(third, first), torch.linalg.cross(first, second)
    return torch.stack(rows, dim=1)


def kabsch(source, target, weights):
    with torch.autocast(source.device.type, enabled=False):
        weights = (weights / weights.sum(dim=1, keepdim=True))[..., None]
        middle, aim = weights.mT @ source, weights.mT @ target
        turn = (weights * (source - middle)).mT @ (target - aim)
        turn = turn / torch.linalg.matrix_norm(turn, keepdim=True) * 3**0.5
        for _ in range(STEPS):
            inverse = cofactors(turn)
            turn = 0.5 * (turn + inverse / (turn[:, :1] * inverse[:, :1]).sum(dim=2, keepdim=True))
        shift = torch.baddbmm(aim, middle, turn, alpha=-1)
        apart = torch.baddbmm(shift, source, turn).sub_(target).square().sum(dim=2)
        return turn.mT, shift.squeeze(1), (weights.squeeze(2) * apart).sum(dim=1).sqrt()
