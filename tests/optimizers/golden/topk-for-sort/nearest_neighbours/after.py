# target: neighbours
import torch


def neighbours(x, bank, k: int = 3):
    dist = torch.cdist(x, bank)
    idx = torch.topk(dist, min(k, dist.shape[1]), dim=1, largest=False).indices
    return bank[idx].mean(1)


def get_inputs():
    return [torch.randn(4, 3), torch.randn(9, 3)]
