# target: greedy
import torch


def greedy(scores, groups: torch.Tensor):
    total = torch.zeros_like(scores[0])
    seen = groups.clone()
    view = seen.view(-1)
    for i in range(len(seen)):
        if seen[i].item() >= 0:
            total = total + scores[i]
            view[view == view[i]] = -1
    return total


def get_inputs():
    return [torch.randn(5, 3), torch.tensor([0, 1, 0, 2, 1])]
