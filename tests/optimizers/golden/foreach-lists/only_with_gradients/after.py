# target: descend
import torch


def descend(a, b, lr: float = 0.1):
    params = [a.detach().clone().requires_grad_(), b.detach().clone().requires_grad_(), torch.ones(2, requires_grad=True)]
    with torch.enable_grad():
        loss = params[0].square().sum() + params[1].sin().sum()
        loss.backward()
    with torch.no_grad():
        together = [p for p in params if not (p.grad is None)]
        if together:
            p_list = [p for p in together]
            p_list_2 = [p.grad for p in together]
            torch._foreach_sub_(p_list, p_list_2, alpha=lr)
            torch._foreach_zero_(p_list_2)
    return torch.cat([item.detach().flatten() for item in params])


def get_inputs():
    return [torch.randn(3, 2), torch.randn(4)]
