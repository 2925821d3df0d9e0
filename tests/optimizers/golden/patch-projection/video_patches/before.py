# target: embed
import torch
import torch.nn.functional as F


def embed(video, weight, bias, positions):
    size = weight.shape[-1]
    patches = F.conv3d(video.permute(0, 2, 1, 3, 4), weight, bias, stride=(1, size, size))
    patches = patches.flatten(3).permute(0, 2, 3, 1)
    return patches + positions


def get_inputs():
    return [torch.randn(2, 3, 4, 6, 6), torch.randn(8, 4, 1, 2, 2), torch.randn(8), torch.randn(9, 8)]
