# target: sparse
import torch
import torch.nn.functional as F

LOW = 0.02


def quantile(p):
    result = torch.zeros_like(p)
    small = p < LOW
    if small.any():
        q = torch.sqrt(-2.0 * torch.log(p[small]))
        result[small] = -(q - 0.3 / (1.0 + q))
    rest = ~small
    if rest.any():
        q = p[rest] - 0.5
        result[rest] = 2.5 * q * (1.0 + q * q)
    return result


def sparse(x, sparsity: float):
    wide = x.to(torch.float32)
    mean = torch.mean(wide, dim=-1, keepdim=True)
    spread = torch.std(wide, dim=-1, keepdim=True, unbiased=False)
    wanted = torch.tensor(sparsity, dtype=torch.float32, device=x.device)
    cut = mean + spread * quantile(wanted)
    return F.relu(wide - cut).to(x.dtype)


def get_inputs():
    return [torch.randn(4, 32), 0.9]
