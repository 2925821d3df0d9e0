# target: sums
import torch


def sums(x, y):
    outer = torch.einsum("i,j->ij", x[0].float(), y[0].float())
    diagonal = torch.einsum("ii,ij->ij", x.float(), y.float())
    alone = torch.einsum("ij,kl->il", x.float(), y.float())
    inner = torch.einsum("ij,ij->", x.float(), y.float())
    equal = torch.einsum("ij,ij->ij", x.float(), y.float())
    return outer.sum() + diagonal.sum() + alone.sum() + inner + equal.sum()


def get_inputs():
    return [torch.randn(4, 4).bfloat16(), torch.randn(4, 4).bfloat16()]
