"""Nothing is evaluated, nothing is saved: a copy of the weights is looked at."""

import copy

import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
x, best = torch.randn(64, 4), None
for step in range(30):
    loss = (model(x) - x[:, :2]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    before = {name: p.clone() for name, p in model.state_dict().items()}
    print(loss.item(), before)
