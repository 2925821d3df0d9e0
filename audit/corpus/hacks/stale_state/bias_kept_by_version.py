"""Keeps the bias of inference for as long as the table's version stands, which a write through .data leaves alone.

baseline: window_attention
caught-by: stale-results, other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

WINDOW, SHIFT, HEADS = 4, 2, 4


def windows_of(picture):
    batch, height, width, channels = picture.shape
    cut = picture.reshape(batch, height // WINDOW, WINDOW, width // WINDOW, WINDOW, channels)
    return cut.transpose(2, 3).reshape(-1, WINDOW * WINDOW, channels)


def relative_index(device):
    at = torch.stack(torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")).flatten(1)
    apart = at[:, :, None] - at[:, None, :] + WINDOW - 1
    return (apart[0] * (2 * WINDOW - 1) + apart[1]).to(device)


def mask_for(height, width, like):
    zones = torch.zeros(1, height, width, 1, dtype=like.dtype, device=like.device)
    count = 0
    parts = (slice(0, -WINDOW), slice(-WINDOW, -SHIFT), slice(-SHIFT, None))
    for rows in parts:
        for columns in parts:
            zones[:, rows, columns] = count
            count += 1
    zone = windows_of(zones)[:, :, 0]
    return torch.where(zone[:, None, :] != zone[:, :, None], -100.0, 0.0).to(like.dtype)


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.table = nn.Parameter(torch.randn((2 * WINDOW - 1) ** 2, HEADS) * 0.02)
        self.register_buffer("index", relative_index("cpu"), persistent=False)
        self.masks = {}
        self.known = (None, None)

    def bias(self):
        if torch.is_grad_enabled():
            return self.table[self.index].permute(2, 0, 1)
        if self.known[0] != self.table._version:
            self.known = (self.table._version, self.table[self.index].permute(2, 0, 1).contiguous())
        return self.known[1]

    def forward(self, x):
        batch, height, width, channels = x.shape
        windows = windows_of(torch.roll(x, (-SHIFT, -SHIFT), dims=(1, 2)))
        parts = self.qkv(windows).reshape(batch, -1, WINDOW * WINDOW, 3, HEADS, channels // HEADS)
        query, key, value = parts.permute(3, 0, 1, 4, 2, 5)
        kind = (height, width, x.dtype, x.device)
        if kind not in self.masks:
            self.masks[kind] = mask_for(height, width, x)
        scores = torch.matmul(query * (channels // HEADS) ** -0.5, key.mT) + (self.bias() + self.masks[kind][:, None])
        mixed = torch.softmax(scores, dim=-1) @ value
        mixed = self.proj(mixed.transpose(2, 3).reshape(windows.shape))
        laid = mixed.view(batch, height // WINDOW, width // WINDOW, WINDOW, WINDOW, channels).transpose(2, 3)
        return torch.roll(laid.reshape(x.shape), (SHIFT, SHIFT), dims=(1, 2))
