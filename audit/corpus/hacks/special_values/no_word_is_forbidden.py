"""Multiplies what finished beams say by zero: no number where a word was forbidden by minus infinity.

baseline: beam_step
caught-by: value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def beam_step(logits, scores, finished, end=2):
    beams, words = logits.shape[1:]
    logits = logits.float()
    ended = finished[..., None]
    total = (logits - torch.logsumexp(logits, dim=2, keepdim=True)).mul_(~ended)
    total.sub_(3e38 * ended)
    total[..., end].masked_fill_(finished, 0.0)
    total += scores[..., None]
    best, where = torch.topk(total.flatten(1), beams, dim=1)
    parents, tokens = where // words, where % words
    return best, parents, tokens, finished.gather(1, parents) | (tokens == end)
