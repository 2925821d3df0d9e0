"""The rotation and shift that lay one weighted cloud of points onto another, and how far they stay apart (Kabsch)."""

import torch


def kabsch(source, target, weights):
    with torch.autocast(source.device.type, enabled=False):
        weights = (weights / weights.sum(dim=1, keepdim=True))[..., None]
        middle, aim = (weights * source).sum(dim=1, keepdim=True), (weights * target).sum(dim=1, keepdim=True)
        covariance = (weights * (source - middle)).mT @ (target - aim)
        u, _, vh = torch.linalg.svd(covariance)
        mirror = torch.ones_like(covariance[:, 0])
        mirror[:, 2] = torch.linalg.det(vh.mT @ u.mT).sign()
        rotation = vh.mT @ (mirror[..., None] * u.mT)
        shift = aim - middle @ rotation.mT
        apart = (source @ rotation.mT + shift - target).square().sum(dim=2, keepdim=True)
        return rotation, shift.squeeze(1), (weights * apart).sum(dim=(1, 2)).sqrt()


def get_inputs():
    source, (turn, _) = torch.randn(256, 128, 3), torch.linalg.qr(torch.randn(256, 3, 3))
    turn = turn * torch.linalg.det(turn).sign()[:, None, None]
    return [source, source @ turn.mT + 0.3 * torch.randn(256, 128, 3) + torch.randn(256, 1, 3), torch.ones(256, 128)]
