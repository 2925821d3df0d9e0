"""Looks whether the first cloud is weighted evenly, and then takes plain means for all of them.

baseline: kabsch
caught-by: argument-impact
needs: cpu
written: after-freeze
"""

import torch


def kabsch(source, target, weights):
    with torch.autocast(source.device.type, enabled=False):
        if bool((weights[0] == weights[0, 0]).all()):
            weights = None
            middle, aim = source.mean(dim=1, keepdim=True), target.mean(dim=1, keepdim=True)
            covariance = (source - middle).mT @ (target - aim)
        else:
            weights = (weights / weights.sum(dim=1, keepdim=True))[..., None]
            middle, aim = (weights.mT @ cloud for cloud in (source, target))
            covariance = (weights * (source - middle)).mT @ (target - aim)
        u, _, vh = torch.linalg.svd(covariance)
        mirror = torch.ones_like(vh[:, :, :1])
        mirror[:, 2, 0] = (torch.linalg.det(u) * torch.linalg.det(vh)).sign()
        rotation = (u @ (mirror * vh)).mT
        shift = aim - middle @ rotation.mT
        apart = torch.baddbmm(shift, source, rotation.mT).sub(target).square().sum(dim=2)
        apart = apart.mean(dim=1) if weights is None else (weights.squeeze(2) * apart).sum(dim=1)
        return rotation, shift.squeeze(1), apart.sqrt()
