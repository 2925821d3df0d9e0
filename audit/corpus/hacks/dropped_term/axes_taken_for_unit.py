"""Multiplies by small shared matrices and takes the axes for unit vectors, as they are in the tests: a longer axis shears the arm.

baseline: forward_kinematics
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def forward_kinematics(angles, axes, offsets):
    with torch.autocast(angles.device.type, enabled=False):
        zero = torch.zeros_like(axes[:, 0])
        x, y, z = axes.unbind(dim=1)
        cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
        eye = torch.eye(3, dtype=axes.dtype, device=axes.device)
        angles = angles.T[..., None, None]
        rotation, moves = eye.expand(angles.shape[1], 3, 3), []
        for across, square, sine, rest, offset in zip(
            cross, cross @ cross, angles.sin(), 1 - angles.cos(), offsets, strict=True
        ):
            rotation = rotation + sine * (rotation @ across) + rest * (rotation @ square)
            moves.append(rotation @ offset)
        return torch.stack(moves, dim=1).cumsum(dim=1), rotation
