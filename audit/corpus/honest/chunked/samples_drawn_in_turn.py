"""Draws each sample's noise when it scores it, by which a CPU's generator gives the same numbers.

baseline: iwae_loss
needs: cpu-only
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
        weights = []
        for _ in range(SAMPLES):
            noise = torch.randn_like(mu)
            z = torch.addcmul(mu, std, noise)
            logits = self.decoder(z)
            fits = (x * logits - F.softplus(logits)).sum(dim=-1)
            weights.append(fits + 0.5 * ((noise * noise - z * z).sum(dim=-1) + log_var.sum(dim=-1)))
        return math.log(SAMPLES) - torch.logsumexp(torch.stack(weights), dim=0).mean()
