# target: Layer
import math
import torch
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.head_size = int(hidden / heads)
        self.width = self.heads * self.head_size
        self.query = nn.Linear(hidden, self.width)
        self.key = nn.Linear(hidden, self.width)
        self.value = nn.Linear(hidden, self.width)
        self.dropout = nn.Dropout(0.0)

    def split(self, x):
        new_shape = x.size()[:-1] + (self.heads, self.head_size)
        return x.view(new_shape).permute(0, 2, 1, 3)

    def forward(self, hidden_states, attention_mask=None, head_mask=None, output_attentions=False):
        q = self.split(self.query(hidden_states))
        k = self.split(self.key(hidden_states))
        v = self.split(self.value(hidden_states))
        if head_mask is None and not output_attentions:
            context = nn.functional.scaled_dot_product_attention(
                q, k, v,
                attn_mask=attention_mask.to(q.dtype) if attention_mask is not None else None,
                dropout_p=self.dropout.p if self.dropout.training else 0.0,
                scale=1.0 / math.sqrt(self.head_size),
            )
            probs = None
        else:
            scores = torch.matmul(q, k.transpose(-1, -2))
            scores = scores / math.sqrt(self.head_size)
            if attention_mask is not None:
                scores = scores + attention_mask
            # one row for each query
            probs = nn.functional.softmax(scores, dim=-1)
            probs = self.dropout(probs)
            if head_mask is not None:
                probs = probs * head_mask
            context = torch.matmul(probs, v)
        context = context.permute(0, 2, 1, 3).contiguous()
        context = context.view(context.size()[:-2] + (self.width,))
        outputs = (context, probs) if output_attentions else (context,)
        return outputs


class Layer(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.attention = SelfAttention(hidden, heads)
        self.dense = nn.Linear(hidden, hidden)

    def forward(self, x, attention_mask=None):
        out = self.attention(x, attention_mask)
        return self.dense(out[0]) + x


def get_init_inputs():
    return [32, 4]


def get_inputs():
    mask = torch.zeros(2, 1, 1, 9)
    mask[0, :, :, 6:] = torch.finfo(torch.float32).min
    return [torch.randn(2, 9, 32), mask]
