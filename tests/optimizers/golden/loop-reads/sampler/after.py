# target: Sampler
import torch
from torch import nn


class Sampler(nn.Module):
    def __init__(self, width=4, steps=5):
        super().__init__()
        self.steps = steps
        self.model = nn.Linear(width + 1, width)
        self.register_buffer("kept", torch.linspace(0.99, 0.1, 50))

    def forward(self, x):
        times = torch.linspace(49, 0, self.steps, device=x.device).long()
        times_list = times.tolist()
        for i in range(len(times)):
            # on the host, since it is a number of the model too
            t = times_list[i]
            before = times_list[i + 1] if i < len(times) - 1 else 0
            at = torch.full((len(x), 1), t / 50, device=x.device, dtype=x.dtype)
            noise = self.model(torch.cat([x, at], dim=1))
            x = self.kept[before].sqrt() * x - (1 - self.kept[t]).sqrt() * noise
        return x


def get_inputs():
    return [torch.randn(3, 4)]
