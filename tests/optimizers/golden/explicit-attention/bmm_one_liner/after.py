# target: Model
import torch, torch.nn as nn, torch.nn.functional as F

class Model(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(
            q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1),
            scale=1.0 / (q.size(-1) ** 0.5),
        ).squeeze(1)

def get_inputs():
    return [torch.randn(2, 17, 8), torch.randn(2, 18, 8), torch.randn(2, 18, 8)]
