"""Joins the turns of neighbouring joints in a tree instead of one after the other: log2 of the joints as many products.

baseline: forward_kinematics
needs: cpu
written: after-freeze
"""

import torch


def running_products(turns):
    reach = 1
    while reach < turns.shape[1]:
        turns = torch.cat([turns[:, :reach], turns[:, :-reach] @ turns[:, reach:]], dim=1)
        reach *= 2
    return turns


def forward_kinematics(angles, axes, offsets):
    with torch.autocast(angles.device.type, enabled=False):
        axes = axes / torch.linalg.vector_norm(axes, dim=1, keepdim=True)
        zero = torch.zeros_like(axes[:, 0])
        x, y, z = axes.unbind(dim=1)
        cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
        eye = torch.eye(3, dtype=axes.dtype, device=axes.device)
        angles = angles[..., None, None]
        rotations = running_products(eye + angles.sin() * cross + (1 - angles.cos()) * (cross @ cross))
        return torch.einsum("bjxy,jy->bjx", rotations, offsets).cumsum(dim=1), rotations[:, -1]
