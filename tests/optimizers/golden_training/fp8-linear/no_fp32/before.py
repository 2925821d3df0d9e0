import torch
from torch import nn

model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64)).to("cuda")
loss = model(torch.randn(8, 64, device="cuda")).sum()
loss.backward()
