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
for step in range(20):
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
