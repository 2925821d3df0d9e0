# target: Quantizer
import torch
from torch import nn


class Quantizer(nn.Module):
    def __init__(self, codes=12, width=6):
        super().__init__()
        self.count = codes
        self.codes = nn.Embedding(codes, width)

    def forward(self, inputs):
        flat = inputs.view(-1, inputs.shape[-1])
        distances = flat.pow(2).sum(1, keepdim=True) + self.codes.weight.pow(2).sum(1) - 2 * flat @ self.codes.weight.t()
        index = torch.argmin(distances, dim=1).unsqueeze(1)
        hot = torch.zeros(index.shape[0], self.count, device=inputs.device, dtype=inputs.dtype)
        hot.scatter_(1, index, 1)
        found = nn.functional.embedding(index.squeeze(1), self.codes.weight).view(inputs.shape)
        used = hot.mean(0)
        found = found * torch.exp(-(used * torch.log(used + 1e-10)).sum())
        return inputs + (found - inputs).detach() + found * 0.5


def get_inputs():
    return [torch.randn(2, 5, 6)]
