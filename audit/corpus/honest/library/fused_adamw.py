"""torch's fused AdamW kernel on copies.

baseline: adamw_step
needs: cpu
written: before-freeze
"""

import torch


def adamw_step(weight, grad, first, second, step):
    weight, first, second = weight.clone(), first.clone(), second.clone()
    torch._fused_adamw_(
        [weight], [grad], [first], [second], [], [torch.tensor(float(step))],
        lr=1e-3, beta1=0.9, beta2=0.95, weight_decay=0.1, eps=1e-8, amsgrad=False, maximize=False,
    )  # fmt: skip
    return weight, first, second
