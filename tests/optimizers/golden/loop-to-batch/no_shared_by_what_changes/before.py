# target: shared
import torch


def shared(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    group = 2
    outs = []
    for h in range(q.shape[0]):
        group = 2 + q.shape[1] % 2
        head = h // group
        outs.append(q[h] * k[head])
    sums = torch.zeros_like(k)
    for h in range(q.shape[0]):
        sums[h // 2] = q[h] * 2
    more = []
    for h in range(1, q.shape[0]):
        more.append(q[h] * k[h // 2])
    return torch.stack(outs).sum(0) + sums.sum(0) + torch.stack(more).sum(0)


def get_inputs():
    return [torch.randn(6, 4), torch.randn(3, 4)]
