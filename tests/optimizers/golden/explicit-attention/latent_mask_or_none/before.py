# target: LatentAttention
import math

import torch
import torch.nn as nn


class Config:
    hidden_size: int = 24
    num_heads: int = 2
    kv_lora_rank: int = 8
    qk_nope_head_dim: int = 4
    qk_rope_head_dim: int = 2
    v_head_dim: int = 6


def rotate_half(x):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((-b, a), dim=-1)


class LatentAttention(nn.Module):
    """Multi-head latent attention: keys and values from one small latent, positions in a part of their own."""

    def __init__(self, config):
        super().__init__()
        c = self.config = config
        self.head_dim = c.qk_nope_head_dim + c.qk_rope_head_dim
        self.q, self.o = nn.Linear(c.hidden_size, c.num_heads * self.head_dim), nn.Linear(12, c.hidden_size)
        self.kv_a = nn.Linear(c.hidden_size, c.kv_lora_rank + c.qk_rope_head_dim, bias=False)
        self.kv_b = nn.Linear(c.kv_lora_rank, c.num_heads * (c.qk_nope_head_dim + c.v_head_dim), bias=False)
        self.register_buffer("inv_freq", 1.0 / (10000 ** torch.tensor([0.0])), persistent=False)

    def forward(self, x, position_ids, attention_mask=None, **kwargs):
        c = self.config
        B, T, _ = x.shape
        q = self.q(x).view(B, T, c.num_heads, -1).transpose(1, 2)
        q_nope, q_pe = torch.split(q, [c.qk_nope_head_dim, c.qk_rope_head_dim], dim=-1)
        ckv, k_pe = torch.split(self.kv_a(x), [c.kv_lora_rank, c.qk_rope_head_dim], dim=-1)
        kv = self.kv_b(ckv).view(B, T, c.num_heads, -1).transpose(1, 2)
        k_nope, v = kv.split([c.qk_nope_head_dim, c.v_head_dim], dim=-1)
        freqs = position_ids[:, :, None].float() * self.inv_freq
        emb = torch.cat((freqs, freqs), dim=-1)[:, None]
        cos, sin = emb.cos().to(x.dtype), emb.sin().to(x.dtype)
        k_pe = k_pe.view(B, T, 1, -1).transpose(1, 2)
        q_pe = q_pe * cos + rotate_half(q_pe) * sin
        k_pe = k_pe * cos + rotate_half(k_pe) * sin
        q = torch.cat([q_nope, q_pe], dim=-1)
        k = torch.cat([k_nope, k_pe.expand(-1, c.num_heads, -1, -1)], dim=-1)
        scores = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(q.size(-1))
        if attention_mask is not None:
            scores = scores.masked_fill(~attention_mask, float("-inf"))
        weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
        out = torch.matmul(weights, v).transpose(1, 2).reshape(B, T, -1)
        return self.o(out)


def get_init_inputs():
    return [Config()]


def get_inputs():
    mask = torch.ones(5, 5, dtype=torch.bool).tril()[None, None]
    return [torch.randn(2, 5, 24), torch.arange(5).expand(2, 5), mask]
