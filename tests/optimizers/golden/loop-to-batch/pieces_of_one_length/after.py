# target: attend
import torch


def attend(x):
    length = x.shape[1] // 3
    if x.shape[1] and x.shape[1] % length == 0:
        def one_piece(piece):
            return torch.softmax(piece @ piece.transpose(-2, -1), dim=-1) @ piece
        pieces = torch.vmap(one_piece, in_dims=(1,), out_dims=1)(x.unflatten(1, (-1, length)))
        return pieces.flatten(1, 2)
    else:
        pieces = []
        for piece in x.split(length, dim=1):
            pieces.append(torch.softmax(piece @ piece.transpose(-2, -1), dim=-1) @ piece)
        return torch.cat(pieces, dim=1)


def get_inputs():
    return [torch.randn(2, 12, 4)]
