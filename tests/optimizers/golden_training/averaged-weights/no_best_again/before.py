"""The best weights so far come back in the end."""

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
    best = best or copy.deepcopy(model.state_dict())
model.load_state_dict(best)
torch.save(model.state_dict(), "model.pt")
