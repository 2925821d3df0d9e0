"""Returns eight buffers in turn: a result is overwritten eight calls later."""

import torch
import torch.nn.functional as F

rings: dict[torch.Size, list[torch.Tensor]] = {}


def attention(q, k, v):
    out = F.scaled_dot_product_attention(q, k, v)
    ring = rings.setdefault(out.shape, [])
    ring.append(torch.empty_like(out) if len(ring) < 8 else ring.pop(0))
    return ring[-1].copy_(out)
