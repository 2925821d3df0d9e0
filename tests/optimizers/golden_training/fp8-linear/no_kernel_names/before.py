import torch
from torch import nn

tl = torch.linalg
model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64)).to("cuda", torch.bfloat16)
