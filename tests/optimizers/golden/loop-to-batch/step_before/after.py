# target: differences
import torch


def differences(x, weight, count):
    # count may be less than there are rows
    def one_t(x_t):
        return x_t * weight
    steps = torch.vmap(one_t)(x[:max(count - 1, 0)])
    changes = []
    for t in range(2, len(x)):
        changes.append(x[t] - 2 * x[t - 1] + x[t - 2])
    return steps.sum() + torch.stack(changes)


def get_inputs():
    return [torch.randn(9, 4), torch.randn(4), 5]
