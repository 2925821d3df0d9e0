# target: scale
import torch


def scale(a, b, rates):
    params = [a.detach().clone(), b.detach().clone()]
    together = [(p, rate) for p, rate in zip(params, rates)]
    if together:
        p_list = [p for p, rate in together]
        rate_list = [rate for p, rate in together]
        torch._foreach_mul_(p_list, rate_list)
    return torch.cat(params)


def get_inputs():
    return [torch.randn(4), torch.randn(4), [0.5, 0.25]]
