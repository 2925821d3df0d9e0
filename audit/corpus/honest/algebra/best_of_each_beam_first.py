"""Takes the best words of each beam, as many as there are beams, then the best of those.

baseline: beam_step
needs: cpu
written: after-freeze
"""

import torch


def beam_step(logits, scores, finished, end=2):
    beams, words = logits.shape[1:]
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    few = min(beams, words)
    best, tokens = torch.topk(log_probs, few, dim=2)
    ended = log_probs.new_full((words,), float("-inf"))
    ended[end] = 0.0
    ended, order = torch.topk(ended, few)
    best = torch.where(finished[..., None], ended, best)
    tokens = torch.where(finished[..., None], order, tokens)
    best, where = torch.topk((scores[..., None] + best).flatten(1), beams, dim=1)
    parents, tokens = where // few, tokens.flatten(1).gather(1, where)
    return best, parents, tokens, finished.gather(1, parents) | (tokens == end)
