# target: Mamba
import torch
from torch import nn


class Mamba(nn.Module):
    def __init__(self, d_model, d_conv=4, expand=2, device=None, dtype=None):
        factory_kwargs = {"device": device, "dtype": dtype}
        super().__init__()
        self.d_conv = d_conv
        self.d_inner = int(expand * d_model)
        self.in_proj = nn.Linear(d_model, self.d_inner * 2, bias=False, **factory_kwargs)
        self.conv1d = nn.Conv1d(
            in_channels=self.d_inner,
            out_channels=self.d_inner,
            bias=True,
            kernel_size=d_conv,
            groups=self.d_inner,
            padding=d_conv - 1,
            **factory_kwargs,
        )
        self.activation = "silu"
        self.act = nn.SiLU()

    def forward(self, hidden_states):
        batch, seqlen, dim = hidden_states.shape
        xz = self.in_proj(hidden_states).transpose(1, 2)
        x, z = xz.chunk(2, dim=1)
        if seqlen > 0:
            # the convolution sees no later position
            x = self.act(self.conv1d(x)[..., :seqlen])
        return x * self.act(z)


def get_init_inputs():
    return [6]


def get_inputs():
    return [torch.randn(2, 9, 6)]
