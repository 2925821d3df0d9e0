"""The mean of the embeddings of each row's tokens."""

import torch


def bag_of_tokens(tokens, table):
    total = torch.zeros(tokens.shape[0], table.shape[1], dtype=table.dtype, device=table.device)
    for position in range(tokens.shape[1]):
        total = total + table[tokens[:, position]]
    return total / tokens.shape[1]


def get_inputs():
    return [torch.randint(0, 2000, (128, 32)), torch.randn(2000, 128)]
