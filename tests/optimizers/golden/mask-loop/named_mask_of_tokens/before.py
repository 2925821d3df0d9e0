# target: moe
import torch
import torch.nn.functional as F


def moe(hidden, chosen, weights, experts):
    out = torch.zeros_like(hidden)
    expert_mask = F.one_hot(chosen, num_classes=experts.shape[0])
    expert_mask = expert_mask.permute(2, 0, 1)
    for expert in range(experts.shape[0]):
        mask = expert_mask[expert]
        token, slot = torch.where(mask)
        if token.numel() > 0:
            current = F.relu(hidden[token] @ experts[expert]) * weights[token, slot].unsqueeze(-1)
            out.index_add_(0, token, current)
    return out


def get_inputs():
    return [torch.randn(9, 8), torch.randint(0, 5, (9, 2)), torch.rand(9, 2), torch.randn(5, 8, 8)]
