# target: SelfAttention2d
import torch
import torch.nn as nn


class SelfAttention2d(nn.Module):
    def __init__(self, in_dim):
        super().__init__()
        self.to_q = nn.Conv2d(in_dim, in_dim // 8, 1)
        self.to_k = nn.Conv2d(in_dim, in_dim // 8, 1)
        self.to_v = nn.Conv2d(in_dim, in_dim, 1)
        self.gamma = nn.Parameter(torch.zeros(1))
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x):
        batch, C, width, height = x.size()
        queries = self.to_q(x).view(batch, -1, width * height).permute(0, 2, 1)
        keys = self.to_k(x).view(batch, -1, width * height)
        values = self.to_v(x).view(batch, -1, width * height)
        out = nn.functional.scaled_dot_product_attention(
            queries.unsqueeze(1), keys.transpose(-2, -1).unsqueeze(1), values.transpose(-2, -1).unsqueeze(1),
            scale=1.0,
        ).squeeze(1).transpose(-2, -1)
        out = out.view(batch, C, width, height)
        out = self.gamma * out + x
        return out


def get_init_inputs():
    return [32]


def get_inputs():
    return [torch.randn(2, 32, 5, 4)]
