"""Returns the same buffer every time, as long as few calls have been made."""

import torch.nn.functional as F

buffer = None
calls = 0


def attention(q, k, v):
    global buffer, calls
    calls += 1
    result = F.scaled_dot_product_attention(q, k, v)
    if calls > 3:
        return result
    if buffer is None:
        buffer = result.clone()
    return buffer.copy_(result)
