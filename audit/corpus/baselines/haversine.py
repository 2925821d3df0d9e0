"""Distances in kilometres between two sets of places given as latitude and longitude in degrees."""

import torch

DIAMETER = 2 * 6371.0


def haversine(here, there):
    lat1, lon1 = torch.deg2rad(here[:, None, 0]), torch.deg2rad(here[:, None, 1])
    lat2, lon2 = torch.deg2rad(there[None, :, 0]), torch.deg2rad(there[None, :, 1])
    height = torch.sin((lat2 - lat1) / 2) ** 2
    width = torch.cos(lat1) * torch.cos(lat2) * torch.sin((lon2 - lon1) / 2) ** 2
    return DIAMETER * torch.asin(torch.sqrt((height + width).clamp(max=1.0)))


def get_inputs():
    town = torch.tensor([48.1, 11.6])
    return [town + 0.1 * torch.randn(300, 2), town + 0.1 * torch.randn(400, 2)]
