"""Writes what finished beams may say over their own probabilities, and adds the scores there too.

baseline: beam_step
needs: cpu
written: after-freeze
"""

import torch


def beam_step(logits, scores, finished, end=2):
    beams, words = logits.shape[1:]
    total = torch.log_softmax(logits, dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32)).float()
    total = total.masked_fill(finished[..., None], float("-inf"))
    total[..., end].masked_fill_(finished, 0.0)
    total = total.add_(scores[..., None]) if total.dtype == scores.dtype else total + scores[..., None]
    best, where = torch.topk(total.flatten(1), beams, dim=1)
    parents = torch.div(where, words, rounding_mode="floor")
    tokens = where - parents * words
    return best, parents, tokens, finished.gather(1, parents) | (tokens == end)
