"""Takes the library's cross-entropy of logits for the fit of the data.

baseline: iwae_loss
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
        std = torch.exp(0.5 * log_var)
        z = torch.addcmul(mu, std, torch.randn(SAMPLES, *mu.shape, dtype=x.dtype, device=x.device))
        logits = self.decoder(z)
        fits = -F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(dim=-1)
        prior = (-0.5 * z**2 - HALF_LOG).sum(dim=-1)
        posterior = (-0.5 * ((z - mu) / std) ** 2 - 0.5 * log_var - HALF_LOG).sum(dim=-1)
        return -(torch.logsumexp(fits + prior - posterior, dim=0) - math.log(SAMPLES)).mean()
