"""torch's embedding bag, which knows no index from the end: these are counted from the start first.

baseline: bag_of_tokens
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def bag_of_tokens(tokens, table):
    return F.embedding_bag(torch.where(tokens < 0, tokens + table.shape[0], tokens), table, mode="mean")
