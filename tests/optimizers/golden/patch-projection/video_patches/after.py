# target: embed
import torch
import torch.nn.functional as F


def embed(video, weight, bias, positions):
    size = weight.shape[-1]
    inputs = video.permute(0, 2, 1, 3, 4)
    patches = (
        F.linear(
            inputs
            .unfold(2, 1, 1)
            .unfold(3, size, size)
            .unfold(4, size, size)
            .permute(0, 2, 3, 4, 1, 5, 6, 7).flatten(4).contiguous(),
            weight.flatten(1),
            bias,
        ).permute(0, 4, 1, 2, 3)
        if inputs.dim() == 5 and weight.shape[2:] == (1, size, size)
        else F.conv3d(inputs, weight, bias, stride=(1, size, size))
    )
    patches = patches.flatten(3).permute(0, 2, 3, 1)
    return patches + positions


def get_inputs():
    return [torch.randn(2, 3, 4, 6, 6), torch.randn(8, 4, 1, 2, 2), torch.randn(8), torch.randn(9, 8)]
