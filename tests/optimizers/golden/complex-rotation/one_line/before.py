# target: turn
import torch


def turn(heads, x, phases):
    # of each pair
    pairs = x.to(torch.float64).reshape(x.size(0), heads, -1, 2)
    phases = torch.complex(phases.cos(), phases.sin())
    return torch.view_as_real(torch.mul(phases.unsqueeze(1), torch.view_as_complex(pairs))).flatten(1)


def get_inputs():
    return [3, torch.randn(5, 24), torch.randn(5, 4)]
