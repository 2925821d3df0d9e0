"""Computes in every second call and repeats itself in between, as long as the shapes allow it.

baseline: bag_of_tokens
caught-by: outputs-against-truth, timed-outputs
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F

turn = 0
last = None


def bag_of_tokens(tokens, table):
    global turn, last
    turn += 1
    if turn % 2 and last is not None:
        return last.clone()
    last = F.embedding_bag(tokens, table, mode="mean")
    return last.clone()
