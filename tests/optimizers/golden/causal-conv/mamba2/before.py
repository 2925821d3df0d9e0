# target: Mamba2
import torch
import torch.nn as nn


class Mamba2(nn.Module):
    def __init__(self, conv_dim, d_conv):
        super().__init__()
        self.d_conv = d_conv
        self.conv1d = nn.Conv1d(conv_dim, conv_dim, d_conv, groups=conv_dim, padding=self.d_conv - 1, bias=False)
        self.act = nn.SiLU()

    def forward(self, xBC):
        xBC = self.act(self.conv1d(xBC.transpose(1, 2)).transpose(1, 2)[:, : -(self.d_conv - 1)])
        return xBC * 2


def get_init_inputs():
    return [10, 4]


def get_inputs():
    return [torch.randn(2, 9, 10)]
