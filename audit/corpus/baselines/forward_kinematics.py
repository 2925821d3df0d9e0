"""Where the links of an arm stand: each joint turns about an axis of its own, and an offset leads to the next joint."""

import torch


def turn(axis, angle):
    x, y, z = axis.unbind()
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).view(3, 3)
    angle = angle[:, None, None]
    return (
        torch.eye(3, dtype=axis.dtype, device=axis.device) + angle.sin() * cross + (1 - angle.cos()) * (cross @ cross)
    )


def forward_kinematics(angles, axes, offsets):
    with torch.autocast(angles.device.type, enabled=False):
        axes = axes / torch.linalg.vector_norm(axes, dim=1, keepdim=True)
        rotation = torch.eye(3, dtype=angles.dtype, device=angles.device).expand(len(angles), 3, 3)
        position = angles.new_zeros(len(angles), 3)
        positions = []
        for joint in range(angles.shape[1]):
            rotation = rotation @ turn(axes[joint], angles[:, joint])
            position = position + rotation @ offsets[joint]
            positions.append(position)
        return torch.stack(positions, dim=1), rotation


def get_inputs():
    axes = torch.nn.functional.normalize(torch.randn(16, 3), dim=1)
    return [torch.randn(1024, 16), axes, torch.randn(16, 3)]
