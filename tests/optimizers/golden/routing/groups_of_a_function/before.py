# target: route
import torch


@torch.no_grad()
def route(logits, bias, factor: float):
    experts, groups, kept = 16, 4, 2
    scores = torch.sigmoid(logits)
    size = experts // groups
    biased = scores + bias.to(torch.float32)
    best, _ = torch.topk(biased.view(logits.shape[0], groups, size), k=2, dim=-1, largest=True, sorted=False)
    of_groups = best.sum(dim=-1)
    _, chosen = torch.topk(of_groups, k=kept, dim=-1, sorted=False)
    mask = torch.zeros_like(of_groups)
    mask.scatter_(1, chosen, 1.0)
    mask = mask.unsqueeze(-1).expand(logits.shape[0], groups, size).reshape(logits.shape[0], experts)
    low = torch.finfo(torch.float32).min
    masked = biased.masked_fill(mask == 0, low)
    _, index = torch.topk(masked, k=3, dim=-1, sorted=False)
    taken = torch.gather(scores, dim=1, index=index)
    weight = taken / (taken.sum(dim=-1, keepdim=True) + 1e-20)
    weight = weight * factor
    return torch.zeros_like(logits).scatter(1, index, weight)


def get_inputs():
    return [torch.randn(7, 16), torch.rand(16), 2.5]
