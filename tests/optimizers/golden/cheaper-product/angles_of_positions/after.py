# target: Rotary
import torch
from torch import nn


class Rotary(nn.Module):
    def __init__(self, width=8, base=100.0):
        super().__init__()
        self.register_buffer("inv_freq", 1.0 / base ** (torch.arange(0, width, 2).float() / width))

    def forward(self, x, position_ids):
        inv_freq_expanded = self.inv_freq[None, :, None].float().expand(position_ids.shape[0], -1, 1)
        position_ids_expanded = position_ids[:, None, :].float()
        freqs = (inv_freq_expanded * position_ids_expanded).transpose(1, 2)
        emb = torch.cat((freqs, freqs), dim=-1)
        return x * emb.cos() + torch.sin(emb).to(x.dtype)


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(2, 5)]
