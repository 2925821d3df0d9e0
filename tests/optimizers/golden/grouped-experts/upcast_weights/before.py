# target: experts
import torch


def experts(hidden, chosen, routing, up, down):
    out = torch.zeros(hidden.shape, dtype=hidden.dtype, device=hidden.device)
    for e in range(up.shape[0]):
        rows, nth = torch.where(chosen == e)
        mine = hidden[rows]
        mine_f32 = mine.to(torch.float32)
        up_f32, down_w = up[e].float(), down[e]
        y = mine_f32 @ up_f32.t()
        y = torch.matmul(y / (1.0 + torch.exp(-y)), down_w.t().to(torch.float32))
        y = y * routing[rows, nth].unsqueeze(1)
        out.index_add_(0, rows, y.to(hidden.dtype))
    return out


def get_inputs():
    ids = torch.rand(11, 6).topk(2, dim=-1).indices
    return [torch.randn(11, 16), ids, torch.rand(11, 2), torch.randn(6, 24, 16) * 0.2, torch.randn(6, 16, 24) * 0.2]
