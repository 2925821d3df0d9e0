# target: embed
import torch
import torch.nn.functional as F


def embed(pixels, weight):
    frames, size = 2, 4
    pixels = pixels.view(-1, 3, frames, size, size)
    return (
        F.linear(
            pixels
            .unfold(2, frames, frames)
            .unfold(3, size, size)
            .unfold(4, size, size)
            .permute(0, 2, 3, 4, 1, 5, 6, 7).flatten(4).contiguous(),
            weight.flatten(1),
        ).permute(0, 4, 1, 2, 3).contiguous()
        if pixels.dim() == 5 and weight.shape[2:] == (frames, size, size)
        else F.conv3d(pixels, weight, stride=(frames, size, size))
    ).view(-1, weight.shape[0])


def get_inputs():
    return [torch.randn(6, 96), torch.randn(10, 3, 2, 4, 4)]
