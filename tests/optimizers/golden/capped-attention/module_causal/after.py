# target: Attention
import torch
from torch import nn
from torch.nn.attention.flex_attention import flex_attention


@torch.compile
def fused_capped_attention(q, k, v, attn_mask, cap, scale, is_causal):
    mask = attn_mask.expand(*q.shape[:3], k.shape[2]) if attn_mask is not None else None

    def capped(score, batch, head, row, column):
        score = cap * torch.tanh(score * scale)
        if is_causal:
            score = torch.where(row >= column, score, -float("inf"))
        if mask is None:
            return score
        here = mask[batch, head, row, column]
        return torch.where(here, score, -float("inf")) if mask.dtype == torch.bool else score + here

    return flex_attention(q, k, v, score_mod=capped, scale=1.0)


def capped_attention_fits(q, k, v, attn_mask):
    """Whether one kernel takes them: 16 bits on a GPU, heads of a power of two, nobody asks for the mask's gradient."""
    widths = {q.shape[-1], v.shape[-1]}
    learned = attn_mask is not None and attn_mask.requires_grad and torch.is_grad_enabled()
    return (
        q.is_cuda
        and q.dim() == k.dim() == v.dim() == 4
        and q.dtype == k.dtype == v.dtype
        and q.dtype in (torch.float16, torch.bfloat16)
        and q.shape[:2] == k.shape[:2] == v.shape[:2]
        and all(width >= 16 and width & (width - 1) == 0 for width in widths)
        and min(q.numel(), k.numel()) > 0
        and not learned
    )


def capped_attention(q, k, v, attn_mask=None, cap=1.0, scale=1.0, is_causal=False):
    """softmax(cap tanh(scale q k^T) + attn_mask) v"""
    if capped_attention_fits(q, k, v, attn_mask):
        cap, scale = (q.new_full((), number, dtype=torch.float32) for number in (cap, scale))
        return fused_capped_attention(q, k, v, attn_mask, cap, scale, is_causal)
    scores = cap * torch.tanh(q @ k.transpose(-2, -1) * scale)
    if is_causal:
        earlier = scores.new_ones(scores.shape[-2:], dtype=torch.bool).tril()
        scores = scores.masked_fill(earlier.logical_not(), -float("inf"))
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(attn_mask.logical_not(), -float("inf"))
    elif attn_mask is not None:
        scores = scores + attn_mask
    wide = scores if scores.dtype == torch.float64 else scores.float()
    return torch.softmax(wide, -1).to(q.dtype) @ v


class Attention(nn.Module):
    def __init__(self, width=16, heads=2, cap=30.0):
        super().__init__()
        self.heads = heads
        self.cap = cap
        self.qkv = nn.Linear(width, 3 * width)

    def forward(self, x):
        b, n, width = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return (capped_attention(q, k, v, is_causal=True, cap=self.cap, scale=0.25 / self.cap)).transpose(1, 2).reshape(b, n, width)


def get_inputs():
    return [torch.randn(2, 5, 16)]
