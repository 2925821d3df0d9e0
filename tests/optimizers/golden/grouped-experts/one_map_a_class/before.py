# target: per_class
import torch


def per_class(x: torch.Tensor, labels: torch.Tensor, w: torch.Tensor, b: torch.Tensor, scale: float) -> torch.Tensor:
    out = torch.ones(x.shape[0], w.shape[2], dtype=x.dtype, device=x.device)
    total = out.clone()
    for c in range(w.shape[0]):
        rows = labels == c
        out[rows] = torch.tanh(torch.matmul(x[rows], w[c]) + b[c])
        total[rows] += (x[rows] * scale) @ w[c]
    return out + total


def get_inputs():
    return [torch.randn(12, 8), torch.randint(-1, 6, (12,)), torch.randn(5, 8, 16), torch.randn(5, 16), 0.5]
