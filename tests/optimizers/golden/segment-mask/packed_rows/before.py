# target: allowed
import torch


def allowed(x, q_starts, k_starts):
    seen = torch.zeros(x.size(0), q_starts[-1], k_starts[-1], dtype=torch.bool)
    for row in range(len(q_starts) - 1):
        top, bottom = int(q_starts[row]), int(q_starts[row + 1])
        left = k_starts[row].item()
        right = k_starts[row + 1].item()
        seen[:, top:bottom, left:right] = True
    return x[:, None, None] * seen


def get_inputs():
    return [torch.randn(2), torch.tensor([0, 2, 5]), torch.tensor([0, 4, 7])]
