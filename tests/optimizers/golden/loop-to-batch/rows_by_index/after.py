# target: gathered
import torch


def gathered(x, idx):
    rows = []
    for i in range(x.size(0)):
        rows.append(x[i][idx[i]].mean(dim=0))
    def one_i(x_i, x_i_2):
        order = torch.argsort(x_i)
        return x_i_2[order]
    nearest = torch.vmap(one_i)(x[:, :, 0], x)
    return torch.stack(rows).unsqueeze(1) + nearest


def get_inputs():
    return [torch.randn(4, 5, 6), torch.randint(0, 5, (4, 3))]
