# target: attend
import torch


def attend(x):
    length = x.shape[1] // 3
    def one_piece(piece):
        return torch.softmax(piece @ piece.transpose(-2, -1), dim=-1) @ piece
    pieces = torch.vmap(one_piece, in_dims=(1,), out_dims=1)(x.unflatten(1, (-1, length)))
    return pieces.flatten(1, 2)


def get_inputs():
    return [torch.randn(2, 12, 4)]
