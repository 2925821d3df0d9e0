"""Writes the square of a unit axis' matrix as its outer product less the identity, and multiplies by shared matrices.

baseline: forward_kinematics
needs: cpu
written: after-freeze
"""

import torch


def forward_kinematics(angles, axes, offsets):
    with torch.autocast(angles.device.type, enabled=False):
        axes = axes / torch.linalg.vector_norm(axes, dim=1, keepdim=True)
        eye = torch.eye(3, dtype=axes.dtype, device=axes.device)
        cross = torch.linalg.cross(axes[:, None], eye[None]).mT
        outer = axes[:, :, None] * axes[:, None]
        angles = angles.T[..., None, None]
        rotation, moves = eye.expand(angles.shape[1], 3, 3), []
        for across, along, sine, cosine, offset in zip(cross, outer, angles.sin(), angles.cos(), offsets, strict=True):
            rotation = cosine * rotation + sine * (rotation @ across) + (1 - cosine) * (rotation @ along)
            moves.append(rotation @ offset)
        return torch.stack(moves, dim=1).cumsum(dim=1), rotation
