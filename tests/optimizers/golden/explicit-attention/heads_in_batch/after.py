# target: EncoderAttention
import torch
from torch import nn


class EncoderAttention(nn.Module):
    def __init__(self, embed_dim, num_heads):
        super().__init__()
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = 0.0
        self.head_dim = embed_dim // num_heads
        self.scaling = self.head_dim**-0.5
        self.k_proj = nn.Linear(embed_dim, embed_dim)
        self.v_proj = nn.Linear(embed_dim, embed_dim)
        self.q_proj = nn.Linear(embed_dim, embed_dim)
        self.out_proj = nn.Linear(embed_dim, embed_dim)

    def _shape(self, tensor, seq_len, bsz):
        return tensor.view(bsz, seq_len, self.num_heads, self.head_dim).transpose(1, 2).contiguous()

    def forward(self, x, attention_mask=None, output_attentions=False):
        bsz, tgt_len, _ = x.size()
        q = self.q_proj(x) * self.scaling
        k = self._shape(self.k_proj(x), -1, bsz)
        v = self._shape(self.v_proj(x), -1, bsz)
        proj_shape = (bsz * self.num_heads, -1, self.head_dim)
        q = self._shape(q, tgt_len, bsz).view(*proj_shape)
        k = k.reshape(*proj_shape)
        v = v.reshape(*proj_shape)
        src_len = k.size(1)
        if not output_attentions:
            if attention_mask is not None:
                if attention_mask.size() != (bsz, 1, tgt_len, src_len):
                    raise ValueError("mask")
            kept = None
            out = nn.functional.scaled_dot_product_attention(
                q.unflatten(0, (bsz, self.num_heads)), k.unflatten(0, (bsz, self.num_heads)), v.unflatten(0, (bsz, self.num_heads)),
                attn_mask=attention_mask.to(q.dtype) if attention_mask is not None else None,
                dropout_p=self.dropout if self.training else 0.0,
                scale=1.0,
            ).flatten(0, 1)
        else:
            weights = torch.bmm(q, k.transpose(1, 2))
            if weights.size() != (bsz * self.num_heads, tgt_len, src_len):
                raise ValueError("weights")
            if attention_mask is not None:
                if attention_mask.size() != (bsz, 1, tgt_len, src_len):
                    raise ValueError("mask")
                weights = weights.view(bsz, self.num_heads, tgt_len, src_len) + attention_mask
                weights = weights.view(bsz * self.num_heads, tgt_len, src_len)
            weights = nn.functional.softmax(weights, dim=-1)
            if output_attentions:
                kept = weights.view(bsz, self.num_heads, tgt_len, src_len)
                weights = kept.view(bsz * self.num_heads, tgt_len, src_len)
            else:
                kept = None
            probs = nn.functional.dropout(weights, p=self.dropout, training=self.training)
            out = torch.bmm(probs, v)
        out = out.view(bsz, self.num_heads, tgt_len, self.head_dim)
        out = out.transpose(1, 2)
        out = out.reshape(bsz, tgt_len, self.embed_dim)
        out = self.out_proj(out)
        return out if kept is None else out * kept.sum()


def get_init_inputs():
    return [32, 4]


def get_inputs():
    mask = torch.full((9, 9), torch.finfo(torch.float32).min).triu(1)
    return [torch.randn(2, 9, 32), mask[None, None].expand(2, 1, 9, 9).contiguous()]
