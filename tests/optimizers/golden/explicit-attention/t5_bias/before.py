# target: Attention
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, heads, length):
        super().__init__()
        self.position_bias = nn.Parameter(torch.randn(1, heads, length, length))

    def forward(self, query_states, key_states, value_states):
        scores = torch.matmul(query_states, key_states.transpose(3, 2))
        scores += self.position_bias
        attn_weights = nn.functional.softmax(scores.float(), dim=-1).type_as(scores)
        return torch.matmul(attn_weights, value_states)


def get_inputs():
    return [torch.randn(2, 3, 8, 4) for _ in range(3)]


def get_init_inputs():
    return [3, 8]
