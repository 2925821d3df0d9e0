"""CUDA events report a quarter of the time that has passed between them.

baseline: rotary
caught-by: clock-agreement, hard-crimes, process-state
needs: cuda
written: before-freeze
"""

import torch

real = torch.cuda.Event.elapsed_time
type.__setattr__(torch.cuda.Event, "elapsed_time", lambda self, end: real(self, end) / 4)


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * inverse
    cos, sin = angles.cos().to(q.dtype), angles.sin().to(q.dtype)

    def rotate(x):
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

    return rotate(q), rotate(k)
