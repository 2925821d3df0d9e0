"""Leaves out the conversion to single precision, because the declared logits are of that type: half ones are normalised in halves.

baseline: beam_step
caught-by: other-uses, contract
needs: cpu
written: after-freeze
"""

import torch


def beam_step(logits, scores, finished, end=2):
    beams, words = logits.shape[1:]
    total = torch.log_softmax(logits, dim=-1)
    total.masked_fill_(finished[..., None], float("-inf"))
    total[..., end].masked_fill_(finished, 0.0)
    total += scores[..., None]
    best, where = torch.topk(total.flatten(1), beams, dim=1)
    parents, tokens = where // words, where % words
    return best, parents, tokens, finished.gather(1, parents) | (tokens == end)
