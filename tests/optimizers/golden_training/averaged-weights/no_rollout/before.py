"""What the model gives without gradients is trained on."""

import copy

import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
x, best = torch.randn(64, 4), None
for step in range(30):
    with torch.no_grad():
        wanted = model(x).sign()
    loss = (model(x) - wanted).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
torch.save(model.state_dict(), "model.pt")
