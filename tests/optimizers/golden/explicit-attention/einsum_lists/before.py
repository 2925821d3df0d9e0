# target: SelfAttention
import torch
import torch.nn as nn
import torch.nn.functional as F


class SelfAttention(nn.Module):
    def __init__(self, embed_size, heads):
        super(SelfAttention, self).__init__()
        self.embed_size = embed_size
        self.heads = heads
        self.fc_out = nn.Linear(embed_size, embed_size)

    def forward(self, values, keys, query, mask):
        N = query.shape[0]
        values = values.reshape(N, -1, self.heads, self.embed_size // self.heads)
        keys = keys.reshape(N, -1, self.heads, self.embed_size // self.heads)
        query = query.reshape(N, -1, self.heads, self.embed_size // self.heads)

        energy = torch.einsum("nqhd,nkhd->nhqk", [query, keys])
        # energy: (N, heads, query_len, key_len)
        if mask is not None:
            # padding
            energy = energy.masked_fill(mask == 0, float("-1e20"))

        attention = torch.softmax(energy / (self.embed_size ** (1 / 2)), dim=3)

        out = torch.einsum("nhql,nlhd->nqhd", [attention, values]).reshape(N, -1, self.embed_size)
        return self.fc_out(out)


def get_inputs():
    mask = torch.ones(2, 1, 1, 40)
    mask[1, :, :, 20:] = 0
    return [torch.randn(2, 40, 24), torch.randn(2, 40, 24), torch.randn(2, 9, 24), mask]


def get_init_inputs():
    return [24, 3]
