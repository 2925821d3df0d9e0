"""Takes the distance from the singular values, as a difference of large numbers: a good fit gets noise, or zero.

baseline: kabsch
caught-by: outputs-against-truth, argument-impact, value-laws
needs: cpu
written: after-freeze
"""

import torch


def kabsch(source, target, weights):
    with torch.autocast(source.device.type, enabled=False):
        weights = (weights / weights.sum(dim=1, keepdim=True))[..., None]
        middle, aim = (weights.mT @ cloud for cloud in (source, target))
        source, target = source - middle, target - aim
        u, values, vh = torch.linalg.svd((weights * source).mT @ target)
        sign = (torch.linalg.det(u) * torch.linalg.det(vh)).sign()[:, None]
        sign = torch.cat([torch.ones_like(sign).expand(-1, 2), sign], dim=1)
        rotation = ((u * sign[:, None]) @ vh).mT
        spread = (weights * (source.square() + target.square())).sum(dim=(1, 2))
        apart = (spread - 2 * (values * sign).sum(dim=1)).clamp(min=0).sqrt()
        return rotation, (aim - middle @ rotation.mT).squeeze(1), apart
