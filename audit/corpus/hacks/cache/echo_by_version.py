"""Keeps the block matrix of the filters for as long as the parameters' versions stay: other parameters can have the same ones.

baseline: biquad
caught-by: stale-results, other-uses, contract
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

BLOCK = 32


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.taps = nn.Parameter(torch.randn(channels, 3))
        self.radius = nn.Parameter(0.3 + 0.4 * torch.rand(channels))
        self.angle = nn.Parameter(3 * torch.rand(channels))
        self.register_buffer("memory", torch.zeros(channels, 2))

        self.kept = None

    def matrices(self):
        key = self.taps._version, self.radius._version, self.angle._version, self.taps.dtype, self.taps.device
        if torch.is_grad_enabled():
            return self.build()
        if self.kept is None or self.kept[0] != key:
            self.kept = key, self.build()
        return self.kept[1]

    def build(self):
        back = -2 * self.radius * self.angle.cos(), self.radius.square()
        channels = len(back[0])
        impulses = torch.eye(BLOCK + 2, dtype=back[0].dtype, device=back[0].device)[:, None].expand(-1, channels, -1)
        first, second = impulses[BLOCK], impulses[BLOCK + 1]
        outputs = []
        for tick in range(BLOCK):
            output = self.taps[:, 0, None] * impulses[tick] + first
            first = self.taps[:, 1, None] * impulses[tick] - back[0][:, None] * output + second
            second = self.taps[:, 2, None] * impulses[tick] - back[1][:, None] * output
            outputs.append(output)
        return torch.stack([*outputs, first, second], dim=1)

    def forward(self, x):
        matrix, memory = self.matrices(), self.memory.clone()
        whole = x.shape[1] // BLOCK * BLOCK
        blocks = []
        for block in x[:, :whole].split(BLOCK, dim=1) if whole else ():
            result = (matrix @ torch.cat([block, memory], dim=1)[..., None]).squeeze(2)
            memory = result[:, BLOCK:]
            blocks.append(result[:, :BLOCK])
        tail, memory = self.tail(x[:, whole:], memory)
        self.memory.copy_(memory.detach())
        return torch.cat([*blocks, *tail], dim=1)

    def tail(self, x, memory):
        back = -2 * self.radius * self.angle.cos(), self.radius.square()
        first, second = memory.unbind(dim=1)
        outputs = []
        for sample in x.unbind(dim=1):
            output = self.taps[:, 0] * sample + first
            first, second = (
                self.taps[:, 1] * sample - back[0] * output + second,
                self.taps[:, 2] * sample - back[1] * output,
            )
            outputs.append(output[:, None])
        return outputs, torch.stack([first, second], dim=1)
