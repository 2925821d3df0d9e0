# target: losses
import torch


def spread(p):
    return p.expand(3) * 2


def noise(p):
    return p + torch.randn(1, device="cuda")


def losses(x, weight, count: int):
    returned = torch.tensor(0.5, device=x.device)
    total = torch.tensor(0.0, device=x.device)
    for row in x:
        total += row.sum()
    unknown = torch.tensor(2.0, device=x.device) * weight
    listed = torch.stack([torch.tensor(1.0, device=x.device), x.mean()])
    several = torch.tensor([1.0, 2.0], device=x.device) * x.mean()
    fixed = torch.tensor(1.0, device="cpu") * x.mean()
    wide = x.mean() * spread(torch.tensor(3.0, device=x.device))
    loud = x.mean() + 0 * noise(torch.tensor(3.0, device=x.device)) if count < 0 else x.mean()
    here = torch.tensor(count, device=x.device)
    y = x.mean() * here
    here = y
    return total + unknown + listed.sum() + several.sum() + fixed + wide.sum() + loud + y, returned, here


def get_inputs():
    return [torch.randn(4, 8), 2.0, 3]
