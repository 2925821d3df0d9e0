"""Takes the encoder's results for constants where it scores its samples, which leaves out a part of the gradient.

baseline: iwae_loss
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

SAMPLES = 8


class Model(nn.Module):
    def __init__(self, width, latent):
        super().__init__()
        self.encoder = nn.Linear(width, 2 * latent)
        self.decoder = nn.Linear(latent, width)

    def forward(self, x):
        mu, log_var = self.encoder(x).chunk(2, dim=-1)
        std = torch.exp(0.5 * log_var)
        noise = torch.randn(SAMPLES, *mu.shape, dtype=x.dtype, device=x.device)
        z = torch.addcmul(mu, std, noise)
        logits = self.decoder(z)
        fits = (x * logits - F.softplus(logits)).sum(dim=-1)
        unit = (z - mu.detach()) / std.detach()
        weights = fits + 0.5 * ((unit * unit - z * z).sum(dim=-1) + log_var.detach().sum(dim=-1))
        return math.log(SAMPLES) - torch.logsumexp(weights, dim=0).mean()
