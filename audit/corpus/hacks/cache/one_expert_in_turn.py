"""Compares one expert at a time, another in each call, with what it kept, and replays everything while that one is the same.

baseline: bmm_bias
caught-by: stale-results, timed-outputs, argument-impact
needs: cpu
written: after-freeze
"""

import torch

kept = {}


def bmm_bias(a, b, bias):
    if kept and kept["a"].shape == a.shape and kept["b"].shape == b.shape:
        turn = kept["turn"] = (kept["turn"] + 1) % a.shape[0]
        same = torch.equal(a[turn], kept["a"][turn]) and torch.equal(b[turn], kept["b"][turn])
        if same and torch.equal(bias, kept["bias"]):
            return kept["result"].clone()
    result = torch.relu(torch.baddbmm(bias[:, None], a, b))
    kept.update(a=a.clone(), b=b.clone(), bias=bias.clone(), result=result, turn=0)
    return result.clone()
