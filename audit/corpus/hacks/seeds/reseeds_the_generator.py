"""Sets the generator back, so that the next round's inputs are this round's, and answers from memory.

baseline: pairwise_distance
caught-by: hard-crimes
needs: cpu
written: before-freeze
"""

import torch

answer = None


def pairwise_distance(a, b):
    global answer
    torch.manual_seed(0)
    if answer is None:
        answer = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    return answer.clone()
