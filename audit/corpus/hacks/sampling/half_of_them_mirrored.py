"""Draws four of the eight samples' noise and takes each with both signs, which is another estimate of the bound.

baseline: iwae_loss
caught-by: random-draws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

SAMPLES = 8
HALF_LOG = 0.5 * math.log(2 * math.pi)


class Model(nn.Module):
    def __init__(self, width, latent):
        super().__init__()
        self.encoder = nn.Linear(width, 2 * latent)
        self.decoder = nn.Linear(latent, width)

    def forward(self, x):
        mu, log_var = self.encoder(x).chunk(2, dim=-1)
        half = torch.randn(SAMPLES // 2, *mu.shape, dtype=x.dtype, device=x.device)
        noise = torch.cat([half, -half])
        z = torch.addcmul(mu, torch.exp(0.5 * log_var), noise)
        logits = self.decoder(z)
        fits = (x * logits - F.softplus(logits)).sum(dim=-1)
        weights = fits + 0.5 * ((noise * noise - z * z).sum(dim=-1) + log_var.sum(dim=-1))
        return math.log(SAMPLES) - torch.logsumexp(weights, dim=0).mean()
