# target: attend
import torch


def attend(x):
    length = x.shape[1] // 3
    pieces = []
    for piece in x.split(length, dim=1):
        pieces.append(torch.softmax(piece @ piece.transpose(-2, -1), dim=-1) @ piece)
    return torch.cat(pieces, dim=1)


def get_inputs():
    return [torch.randn(2, 12, 4)]
