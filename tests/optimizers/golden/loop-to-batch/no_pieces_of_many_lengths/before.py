# target: attend
import torch


def attend(x, offsets):
    """The pieces differ in length: no tensor has them side by side."""
    lengths = (offsets[1:] - offsets[:-1]).tolist()
    pieces = []
    for piece in x.split(lengths, dim=1):
        pieces.append(torch.softmax(piece @ piece.transpose(-2, -1), dim=-1) @ piece)
    return torch.cat(pieces, dim=1)


def get_inputs():
    return [torch.randn(2, 12, 4), torch.tensor([0, 3, 7, 12])]
