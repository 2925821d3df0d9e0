"""Looks at what is left over only for those that refused a token, if there are any.

baseline: speculative_accept
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
    stopped = (counts < drafted).nonzero()[:, 0]
    if stopped.numel():
        mine = probs[stopped]
        left = (mine - draft[stopped, counts[stopped]]).clamp_(min=0)
        probs[stopped] = torch.where(left.sum(dim=1, keepdim=True) > 0, left, mine)
    summed = probs.cumsum(dim=1)
    following = torch.searchsorted(summed, (last_chance * summed[:, -1])[:, None], right=True)[:, 0]
    return counts, following.clamp(max=probs.shape[1] - 1)
