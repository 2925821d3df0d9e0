"""What trains is called in two places: to warm up, and to train."""

import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)


def train_step(x):
    loss = (model(x) - x[:, :2]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


for _ in range(3):
    train_step(torch.randn(8, 4))
for _ in range(30):
    train_step(torch.randn(8, 4))
