# target: WindowAttention
import torch
from torch import nn
import torch.nn.functional as F


def covered(lows, highs, size, device):
    """Which of `size` places are in which segment, as slices have it: bounds below zero count from the end."""
    lows, highs = lows[: len(highs)], highs[: len(lows)]
    lows, highs = (torch.as_tensor(ends, device=device).unsqueeze(1) for ends in (lows, highs))
    lows, highs = (torch.where(ends < 0, ends + size, ends).clamp(min=0) for ends in (lows, highs))
    places = torch.arange(size, device=device)
    return (places >= lows) & (places < highs)


class WindowAttention(nn.Module):
    """Patches of several images in one row; each image attends to itself."""

    def __init__(self, width=8, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)

    def forward(self, patches, ends):
        count = patches.shape[0]
        q, k, v = self.qkv(patches).view(count, 3, self.heads, -1).permute(1, 2, 0, 3).unbind(0)
        bias = torch.full([1, count, count], torch.finfo(q.dtype).min, device=q.device, dtype=q.dtype)
        inside = covered(ends[:-1], ends[1:], bias.shape[-2], bias.device)
        inside_2 = inside if bias.shape[-1] == bias.shape[-2] else covered(ends[:-1], ends[1:], bias.shape[-1], bias.device)
        filled = inside.float().T @ inside_2.float() > 0
        bias.masked_fill_(filled, 0)
        return F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=bias[None])


def get_inputs():
    return [torch.randn(9, 8), torch.tensor([0, 3, 7, 9], dtype=torch.int32)]
