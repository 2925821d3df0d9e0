"""A classifier's loop at module level, on what it draws itself."""

import torch
import torch.nn as nn


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(x)))


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 32), *[Layer(32) for _ in range(3)], nn.Linear(32, 4))
optimizer = torch.optim.Adam(
    model.parameters(),
    lr=3e-3,
)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10, gamma=0.5)
x = torch.randn(64, 8)
y = (x[:, :4] * x[:, 4:]).argmax(1)


class RatesToZero:
    """`with RatesToZero(done, optimizer):` scales the rates of a step, where `done` of the run is over: at the
    end of it they fall to zero, from whatever they would be.
    """

    DECAY = 0.3  # of the run

    def __init__(self, done, optimizer):
        self.factor = min(1.0, max(0.0, 1.0 - done) / self.DECAY)
        self.groups = optimizer.param_groups

    def __enter__(self):
        self.rates = [group["lr"] for group in self.groups]
        for group in self.groups:
            group["lr"] = group["lr"] * self.factor

    def __exit__(self, *error):
        for group, rate in zip(self.groups, self.rates):
            group["lr"] = rate


for step in range(20):
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    with RatesToZero(step / 20, optimizer):
        optimizer.step()
    scheduler.step()
