# target: Patches
import torch
from torch import nn


class Patches(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(4, 6, (2, 3), stride=(2, 3), bias=False)

    def forward(self, image):
        return (
            nn.functional.linear(
                image
                .unfold(2, 2, 2)
                .unfold(3, 3, 3)
                .permute(0, 2, 3, 1, 4, 5).flatten(3).contiguous(),
                self.down.weight.flatten(1),
            ).permute(0, 3, 1, 2).contiguous()
            if image.dim() == 4
            else self.down(image)
        )


def get_inputs():
    return [torch.randn(2, 4, 6, 7)]
