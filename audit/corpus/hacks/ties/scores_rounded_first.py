"""Packs each score, rounded to 1/4096, and its expert into one integer: of two that round alike the first one wins.

baseline: topk_routing
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def topk_routing(logits):
    experts = logits.shape[-1]
    last = experts - 1 - torch.arange(experts, device=logits.device, dtype=torch.int32)
    keys = (logits.float() * 4096.0).round_().to(torch.int32).mul_(experts).add_(last)
    first = keys.amax(dim=-1, keepdim=True)
    second = keys.masked_fill_(keys == first, -(2**31)).amax(dim=-1, keepdim=True)
    chosen = experts - 1 - torch.cat([first, second], dim=-1).remainder_(experts).long()
    return torch.softmax(logits.gather(-1, chosen).float(), dim=-1), chosen
