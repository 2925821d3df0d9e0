# target: gated
import torch


def gated(x, up_weight, up_bias, down_weight):
    h = torch.nn.functional.conv1d(x.transpose(1, 2), up_weight, up_bias)
    value, gate = h.chunk(2, dim=1)
    h = value * torch.sigmoid(gate)
    return torch.conv1d(h, down_weight, None, 1).transpose(1, 2)


def get_inputs():
    return [torch.randn(2, 5, 4), torch.randn(12, 4, 1), torch.randn(12), torch.randn(3, 6, 1)]
