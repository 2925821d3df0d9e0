# target: descend
import torch


def descend(a, b, lr: float = 0.1):
    params = [a.detach().clone().requires_grad_(), b.detach().clone().requires_grad_(), torch.ones(2, requires_grad=True)]
    with torch.enable_grad():
        loss = params[0].square().sum() + params[1].sin().sum()
        loss.backward()
    with torch.no_grad():
        for p in params:
            if p.grad is None:
                continue
            p.sub_(p.grad, alpha=lr)
            p.grad.zero_()
    return torch.cat([item.detach().flatten() for item in params])


def get_inputs():
    return [torch.randn(3, 2), torch.randn(4)]
