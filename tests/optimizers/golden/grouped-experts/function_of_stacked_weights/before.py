# target: experts
import torch
import torch.nn.functional as F


def experts(x, topk_ids, topk_weights, gate_up, down, num_experts=6):
    """SwiGLU experts; ids below 0 are of tokens that went elsewhere."""
    out = torch.zeros_like(x)
    for e in range(num_experts):
        token, slot = torch.where(topk_ids == e)
        # Nobody chose it.
        if token.numel() == 0:
            continue
        gate, up = F.linear(x[token], gate_up[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, down[e])
        # Each choice counts by its weight.
        out.index_add_(0, token, y * topk_weights[token, slot].unsqueeze(-1))  # [tokens, width]
    return out


def get_inputs():
    ids = torch.rand(11, 6).topk(2, dim=-1).indices
    ids[3, 1] = -1
    return [torch.randn(11, 16), ids, torch.rand(11, 2), torch.randn(6, 48, 16) * 0.2, torch.randn(6, 16, 24) * 0.2]
