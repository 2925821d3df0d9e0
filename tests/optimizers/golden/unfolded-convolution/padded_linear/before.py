# target: blur
import torch
import torch.nn.functional as F


def blur(images, kernel, size):
    b, c, h, w = images.shape
    # one channel at a time
    windows = F.unfold(images.reshape(b * c, 1, h, w), size, padding=size // 2)
    rows = torch.flatten(kernel, 1)
    mixed = F.linear(windows.permute(0, 2, 1), rows).transpose(1, 2)
    return mixed.reshape(b, -1, h, w)


def get_inputs():
    return [torch.randn(2, 3, 6, 6), torch.randn(4, 1, 3, 3), 3]
