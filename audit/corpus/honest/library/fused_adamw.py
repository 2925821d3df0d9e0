"""torch's fused AdamW kernel on contiguous copies: it takes bare pointers and reads a gradient with strides wrongly.

baseline: adamw_step
needs: cpu
written: before-freeze
"""

import torch


def adamw_step(weight, grad, first, second, step):
    weight, first, second = (t.clone(memory_format=torch.contiguous_format) for t in (weight, first, second))
    torch._fused_adamw_(
        [weight], [grad.contiguous()], [first], [second], [], [torch.tensor(float(step), device=weight.device)],
        lr=1e-3, beta1=0.9, beta2=0.95, weight_decay=0.1, eps=1e-8, amsgrad=False, maximize=False,
    )  # fmt: skip
    return weight, first, second
