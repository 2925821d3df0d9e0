# target: differences
import torch


def differences(x, weight, count):
    # count may be less than there are rows
    steps = []
    for t in range(1, count):
        steps.append(x[t - 1] * weight)
    def one_t_2(x_t_2, x_t_3, x_t_4):
        return x_t_3 - 2 * x_t_4 + x_t_2
    changes = torch.vmap(one_t_2)(
        x[:max(len(x) - 2, 0)],
        x[2:len(x)],
        x[1:max(len(x) - 1, 0)],
    )
    return torch.stack(steps).sum() + changes


def get_inputs():
    return [torch.randn(9, 4), torch.randn(4), 5]
