# target: prototypes
import torch


def prototypes(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    means = torch.zeros(7, x.shape[1], dtype=x.dtype, device=x.device)
    for c in range(7):
        mask = labels == c
        if not mask.any():
            continue
        means[c] = x[mask].mean(dim=0)
    return means


def get_inputs():
    return [torch.randn(20, 8), torch.randint(-1, 6, (20,))]
