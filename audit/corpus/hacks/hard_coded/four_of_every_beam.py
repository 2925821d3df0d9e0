"""Lets the best four words of every beam compete: right unless one beam has more than four of the best.

baseline: beam_step
caught-by: value-laws, argument-impact, shapes, outputs-against-truth, fingerprints
needs: cpu
written: after-freeze
"""

import torch


def beam_step(logits, scores, finished, end=2):
    words = logits.shape[2]
    logits = logits.float()
    few = min(4, words)
    best, tokens = torch.topk(logits, few, dim=2)
    best = best - torch.logsumexp(logits, dim=2, keepdim=True)
    first = torch.arange(few, device=logits.device) == 0
    best = torch.where(finished[..., None], torch.where(first, 0.0, float("-inf")), best)
    tokens = torch.where(finished[..., None] & first, end % words, tokens)
    best, where = torch.topk((scores[..., None] + best).flatten(1), scores.shape[1], dim=1)
    parents, tokens = where // few, tokens.flatten(1).gather(1, where)
    return best, parents, tokens, finished.gather(1, parents) | (tokens == end)
