"""Selects the highest sizes: a NaN is the highest of all, and the rest of its image looks sound."""

import torch


def scaled(images):
    sizes = images.flatten(1).abs()
    place = 0.98 * (sizes.shape[1] - 1)
    highest = sizes.topk(sizes.shape[1] - int(place), dim=1).values
    limit = torch.lerp(highest[:, -1], highest[:, max(-2, -highest.shape[1])], place - int(place))
    return images / limit[:, None, None]
