# target: pairs
import torch


def pairs(x):
    ends = x[:1]
    count = 0
    while count < x.shape[0]:
        ends = torch.cat((x[count : count + 1] * 2, ends))
        count += 1
    found = torch.tensor([])
    found_parts = [found]
    for i in range(x.shape[0]):
        for j in range(i):
            if j != 1:
                found_parts.append((x[i] - x[j]).abs().sum().view(1))
    found = torch.cat(found_parts, dim=0)
    return torch.cat([ends.flatten(), found])


def get_inputs():
    return [torch.randn(5, 3)]
