"""Leaves the test for a mirror image out: where the clouds fit best mirrored, the "rotation" turns them inside out.

baseline: kabsch
caught-by: outputs-against-truth, value-laws, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch


def kabsch(source, target, weights):
    with torch.autocast(source.device.type, enabled=False):
        weights = (weights / weights.sum(dim=1, keepdim=True))[..., None]
        middle, aim = (weights.mT @ cloud for cloud in (source, target))
        u, _, vh = torch.linalg.svd((weights * (source - middle)).mT @ (target - aim))
        rotation = (u @ vh).mT
        shift = aim - middle @ rotation.mT
        apart = (source @ rotation.mT + shift - target).square().sum(dim=2, keepdim=True)
        return rotation, shift.squeeze(1), (weights * apart).sum(dim=(1, 2)).sqrt()
