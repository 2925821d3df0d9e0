# target: rolled
import torch


def rolled(x, gamma: float = 0.9):
    total = torch.zeros_like(x[0])
    outs = []
    rate = gamma
    for t in range(x.shape[0]):
        total = rate * total + x[t]
        rate = rate * gamma
        outs.append(total)
    level = torch.zeros_like(x[0])
    y = x.clone()
    for t in range(x.shape[0] - 1):
        level = gamma * level + y[t]
        y[t + 1] = level
    kept = torch.zeros_like(x[0])
    for t in range(x.shape[0]):
        before = kept
        kept = gamma * kept + x[t]
        outs.append(kept - before)
    short = torch.zeros_like(x[0])
    for t in range(x.shape[0]):
        short = gamma * short + x[t]
        if t > 3:
            break
    both = torch.zeros_like(x[0])
    for t in range(x.shape[0]):
        both += x[t]
        outs.append(both)
    power = torch.zeros_like(x[0])
    for t in range(x.shape[0]):
        power = power + gamma**t * x[t]
        outs.append(power)
    return torch.stack(outs).sum(0) + y[-1] + level + short


def get_inputs():
    return [torch.randn(8, 3)]
