"""Filters sixteen samples at a time by a matrix product: under autocast that runs in bfloat16, the filters' memory included.

baseline: biquad
caught-by: other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

BLOCK = 16


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.taps = nn.Parameter(torch.randn(channels, 3))
        self.radius = nn.Parameter(0.3 + 0.4 * torch.rand(channels))
        self.angle = nn.Parameter(3 * torch.rand(channels))
        self.register_buffer("memory", torch.zeros(channels, 2))

    def forward(self, x):
        memory = self.memory.clone()
        if not bool(torch.isfinite(x).all() & torch.isfinite(memory).all()):
            return self.one_by_one(x, memory)
        whole = x.shape[1] // BLOCK * BLOCK
        blocks = []
        if whole:
            matrix = self.response(x, BLOCK)
            for block in x[:, :whole].split(BLOCK, dim=1):
                result = (matrix @ torch.cat([block, memory], dim=1)[..., None]).squeeze(2)
                memory = result[:, BLOCK:]
                blocks.append(result[:, :BLOCK])
        if whole < x.shape[1]:
            count = x.shape[1] - whole
            rest = self.response(x, count) @ torch.cat([x[:, whole:], memory], dim=1)[..., None]
            memory = rest[:, count:, 0]
            blocks.append(rest[:, :count, 0])
        self.memory.copy_(memory.detach())
        return torch.cat(blocks, dim=1)

    def one_by_one(self, x, memory):
        """A product would spread what is not finite to earlier samples."""
        taps, back = self.taps.unbind(dim=1), (-2 * self.radius * self.angle.cos(), self.radius.square())
        first, second = memory.unbind(dim=1)
        outputs = []
        for sample in x.unbind(dim=1):
            output = taps[0] * sample + first
            first = taps[1] * sample - back[0] * output + second
            second = taps[2] * sample - back[1] * output
            outputs.append(output)
        self.memory.copy_(torch.stack([first, second], dim=1).detach())
        return torch.stack(outputs, dim=1)

    def response(self, x, count):
        """What each sample and each remembered number adds to the outputs, and to what is remembered."""
        taps = self.taps[..., None].unbind(dim=1)
        back = -2 * self.radius[:, None] * self.angle[:, None].cos(), self.radius[:, None].square()
        *samples, first, second = torch.eye(count + 2, dtype=taps[0].dtype, device=x.device)
        outputs = []
        for sample in samples:
            output = taps[0] * sample + first
            first = taps[1] * sample - back[0] * output + second
            second = taps[2] * sample - back[1] * output
            outputs.append(output)
        return torch.stack([*outputs, first, second], dim=1)
