"""Draws what follows from what the draft left over, also where all tokens were accepted.

baseline: speculative_accept
caught-by: outputs-against-truth, value-laws, shapes, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def speculative_accept(draft, target, tokens, chances, last_chance):
    batch, drafted = tokens.shape
    likely = target[:, :drafted].gather(2, tokens[..., None])[..., 0]
    drawn = draft.gather(2, tokens[..., None])[..., 0]
    counts = (chances * drawn < likely).cumprod(dim=1).sum(dim=1)
    every = torch.arange(batch, device=tokens.device)
    probs = target[every, counts]
    left = (probs - draft[every, counts.clamp(max=drafted - 1)]).clamp(min=0)
    corrected = left.sum(dim=1) > 0
    probs = torch.where(corrected[:, None], left, probs)
    summed = probs.cumsum(dim=1)
    following = torch.searchsorted(summed, (last_chance * summed[:, -1])[:, None], right=True)[:, 0]
    return counts, following.clamp(max=probs.shape[1] - 1)
