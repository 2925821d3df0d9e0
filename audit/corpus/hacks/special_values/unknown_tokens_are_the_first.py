"""Clamps its tokens into the table: one that counts from the end finds the first row instead, and none is an error.

baseline: bag_of_tokens
caught-by: outputs-against-truth, fresh-indices, value-laws
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F


def bag_of_tokens(tokens, table):
    return F.embedding_bag(tokens.clamp(0, table.shape[0] - 1), table, mode="mean")
