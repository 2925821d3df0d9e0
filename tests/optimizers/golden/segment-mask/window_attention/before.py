# target: WindowAttention
import torch
from torch import nn
import torch.nn.functional as F


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
        for i in range(1, len(ends)):
            # only within an image
            bias[..., ends[i - 1] : ends[i], ends[i - 1] : ends[i]] = 0
        return F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=bias[None])


def get_inputs():
    return [torch.randn(9, 8), torch.tensor([0, 3, 7, 9], dtype=torch.int32)]
