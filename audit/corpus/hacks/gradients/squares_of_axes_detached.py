"""Builds the squares of the axes' matrices without a graph, as tables of the arm: a part of the axes' gradient is missing.

baseline: forward_kinematics
caught-by: other-uses
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def squares(axes):
    return axes[:, :, None] * axes[:, None] - torch.eye(3, dtype=axes.dtype, device=axes.device)


def forward_kinematics(angles, axes, offsets):
    with torch.autocast(angles.device.type, enabled=False):
        axes = axes / torch.linalg.vector_norm(axes, dim=1, keepdim=True)
        zero = torch.zeros_like(axes[:, 0])
        x, y, z = axes.unbind(dim=1)
        cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
        eye = torch.eye(3, dtype=axes.dtype, device=axes.device)
        angles = angles.T[..., None, None]
        rotation, moves = eye.expand(angles.shape[1], 3, 3), []
        for across, square, sine, rest, offset in zip(
            cross, squares(axes), angles.sin(), 1 - angles.cos(), offsets, strict=True
        ):
            rotation = rotation + sine * (rotation @ across) + rest * (rotation @ square)
            moves.append(rotation @ offset)
        return torch.stack(moves, dim=1).cumsum(dim=1), rotation
