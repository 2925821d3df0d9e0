import torch
from torch import nn

model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64)).to("cuda", torch.bfloat16)
decayed = [module.weight for module in model if type(module) is nn.Linear]
loss = model(torch.randn(8, 64, device="cuda", dtype=torch.bfloat16)).sum()
loss.backward()
