# target: gathered
import torch


def gathered(x, idx):
    rows = []
    for i in range(x.size(0)):
        rows.append(x[i][idx[i]].mean(dim=0))
    nearest = []
    for i in range(x.size(0)):
        order = torch.argsort(x[i, :, 0])
        nearest.append(x[i][order])
    return torch.stack(rows).unsqueeze(1) + torch.stack(nearest)


def get_inputs():
    return [torch.randn(4, 5, 6), torch.randint(0, 5, (4, 3))]
