"""One step of beam search: the best continuations over all beams, of which finished ones may only end again."""

import torch


def beam_step(logits, scores, finished, end=2):
    beams, words = logits.shape[1:]
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    ended = torch.full_like(log_probs, float("-inf"))
    ended[..., end] = 0.0
    log_probs = torch.where(finished[..., None], ended, log_probs)
    total = (scores[..., None] + log_probs).flatten(1)
    best, where = torch.topk(total, beams, dim=1)
    parents, tokens = where // words, where % words
    return best, parents, tokens, finished.gather(1, parents) | (tokens == end)


def get_inputs():
    scores = -5 - torch.rand(4, 8).sort(dim=1).values / 4
    return [torch.randn(4, 8, 1500), scores, torch.rand(4, 8) < 0.25]
