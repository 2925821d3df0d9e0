"""Returns eight sets of buffers in turn: whoever keeps a result for longer than eight calls finds another one in it.

baseline: adamw_step
caught-by: aliasing, timed-outputs, held-results
needs: cpu
written: before-freeze
"""

import torch

rings = {}


def adamw_step(weight, grad, first, second, step):
    ring = rings.setdefault(weight.shape, [])
    if len(ring) < 8:
        ring.append([torch.empty_like(weight) for _ in range(3)])
    else:
        ring.append(ring.pop(0))
    out, new_first, new_second = ring[-1]
    torch.lerp(first, grad, 0.1, out=new_first)
    torch.mul(second, 0.95, out=new_second).addcmul_(grad, grad, value=0.05)
    torch.sqrt(new_second, out=out).mul_((1 - 0.95**step) ** -0.5).add_(1e-8)
    torch.div(new_first, out, out=out).mul_(-1e-3 / (1 - 0.9**step)).add_(weight, alpha=1 - 1e-4)
    return out, new_first, new_second
