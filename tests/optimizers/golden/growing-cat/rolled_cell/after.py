# target: Roll
import torch
import torch.nn as nn


class Roll(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cell = nn.GRUCell(width, width)
        self.head = nn.Linear(width, width)

    def forward(self, x):
        h = torch.zeros(x.size(0), x.size(2), dtype=x.dtype)
        out = torch.empty(x.size(0), 0, x.size(2), dtype=x.dtype)
        out_parts = [out]
        for t in range(x.size(1)):
            h = self.cell(x[:, t, :], h)
            # one step more
            out_parts.append(self.head(h).unsqueeze(1))
        out = torch.cat(out_parts, dim=1)
        return out


def get_init_inputs():
    return [6]


def get_inputs():
    return [torch.randn(3, 7, 6)]
