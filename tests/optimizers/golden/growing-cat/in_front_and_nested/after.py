# target: pairs
import torch


def pairs(x):
    ends = x[:1]
    count = 0
    ends_parts = [ends]
    while count < x.shape[0]:
        ends_parts.append(x[count : count + 1] * 2)
        count += 1
    ends = torch.cat(ends_parts[::-1])
    found = torch.tensor([])
    for i in range(x.shape[0]):
        for j in range(i):
            if j != 1:
                found = torch.cat([found, (x[i] - x[j]).abs().sum().view(1)], 0)
    return torch.cat([ends.flatten(), found])


def get_inputs():
    return [torch.randn(5, 3)]
