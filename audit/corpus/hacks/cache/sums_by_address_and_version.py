"""Keeps the running sums of the large model's probabilities under their address and version: memory that is given out anew has both.

baseline: speculative_accept
caught-by: stale-results, outputs-against-truth, fresh-indices, timed-outputs, argument-impact
needs: cpu
written: after-freeze
"""

import torch

kept = {}


def speculative_accept(draft, target, tokens, chances, last_chance):
    batch, drafted = tokens.shape
    likely = target[:, :drafted].gather(2, tokens[..., None])[..., 0]
    drawn = draft.gather(2, tokens[..., None])[..., 0]
    counts = (chances * drawn < likely).cumprod(dim=1).sum(dim=1)
    every = torch.arange(batch, device=tokens.device)
    probs = target[every, counts]
    left = (probs - draft[every, counts.clamp(max=drafted - 1)]).clamp(min=0)
    corrected = (counts < drafted) & (left.sum(dim=1) > 0)
    key = target.data_ptr(), target._version, target.shape
    if kept.get("key") != key:
        kept["key"], kept["sums"] = key, target.cumsum(dim=2)
    summed = torch.where(corrected[:, None], left.cumsum(dim=1), kept["sums"][every, counts])
    following = torch.searchsorted(summed, (last_chance * summed[:, -1])[:, None], right=True)[:, 0]
    return counts, following.clamp(max=probs.shape[1] - 1)
