"""torch's embedding bag.

baseline: bag_of_tokens
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def bag_of_tokens(tokens, table):
    return F.embedding_bag(tokens, table, mode="mean")
