# target: several
import torch


def several(x, y, z):
    one = x[:, None, :] @ y  # a row that meets a matrix
    two = x[:, :, None].transpose(1, 2) @ y
    three = torch.einsum("bi,bj->bij", x, z)
    four = x.unsqueeze(1) @ y
    five = (x.unsqueeze(-1).transpose(1, 2) @ y).tanh()
    six = y @ z.unsqueeze(-1)
    seven = torch.ones(4, device=x.device).unsqueeze(-1) @ z.flatten()[:1]
    time = x.sum().unsqueeze(-1) @ z[None, :]
    return one, two, three, four, five, six, seven, time


def get_inputs():
    return [torch.randn(3, 4), torch.randn(3, 4, 5), torch.randn(3, 5)]
