"""Colour and depth along rays through a density, before a white background, and the weight of each sample."""

import torch


def volume_render(density, colour, spacing):
    alpha = 1 - torch.exp(-torch.relu(density) * spacing)
    clear = torch.cumprod(1 - alpha, dim=1)
    before = torch.cat([torch.ones_like(clear[:, :1]), clear[:, :-1]], dim=1)
    weights = alpha * before
    seen = (weights[..., None] * colour).sum(dim=1)
    depth = (weights * torch.cumsum(spacing, dim=1)).sum(dim=1)
    return seen + (1 - weights.sum(dim=1, keepdim=True)), depth, weights


def get_inputs():
    return [16 * torch.rand(1024, 64), torch.rand(1024, 64, 3), torch.full((1024, 64), 1 / 32)]
