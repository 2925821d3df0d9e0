"""Forms means by products, the sign by two determinants, and adds the shift within the product with the rotation.

baseline: kabsch
needs: cpu
written: after-freeze
"""

import torch


def kabsch(source, target, weights):
    with torch.autocast(source.device.type, enabled=False):
        weights = (weights / weights.sum(dim=1, keepdim=True))[..., None]
        middle, aim = weights.mT @ source, weights.mT @ target
        u, _, vh = torch.linalg.svd((weights * (source - middle)).mT @ (target - aim))
        sign = (torch.linalg.det(u) * torch.linalg.det(vh)).sign()[:, None, None]
        turned = torch.cat([u[..., :2], u[..., 2:3] * sign, u[..., 3:]], dim=2) @ vh
        shift = torch.baddbmm(aim, middle, turned, alpha=-1)
        apart = torch.baddbmm(shift, source, turned).sub_(target).square().sum(dim=2)
        return turned.mT, shift.squeeze(1), (weights.squeeze(2) * apart).sum(dim=1).sqrt()
