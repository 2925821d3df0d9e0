# target: steps
import torch


def steps(x: torch.Tensor) -> torch.Tensor:
    before = torch.zeros_like(x)
    after = torch.zeros_like(x)
    for i in range(x.shape[0]):
        row = torch.exp(x[i])
        before[i] = row
        row = row * 2
        after[i] = row
    rows = torch.zeros_like(x)
    for i in range(x.shape[0]):
        row = torch.exp(x[i])
        rows[i] = row
        same = row.reshape(-1)
        same += 1
        after[i] = same * 2
    return before + after + rows


def get_inputs():
    return [torch.randn(6, 4)]
