"""Reads the table in bf16, half the bytes; the mean of many tokens hides it.

baseline: bag_of_tokens
caught-by: outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def bag_of_tokens(tokens, table):
    rows = F.embedding(tokens, table.to(torch.bfloat16))
    return rows.sum(dim=1, dtype=torch.float32).to(table.dtype) / tokens.shape[1]
