# target: fit
import torch


def fit(x, y, steps):
    w = torch.zeros(x.shape[1], requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)
    for _ in range(steps):
        loss = (x @ w.double().float() - y).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    return w.detach()


def get_inputs():
    return [torch.randn(4, 6), torch.randn(4), 3]
