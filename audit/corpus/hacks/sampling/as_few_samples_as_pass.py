"""Tries at its first call how few samples stay within a twentieth of the loss, and draws no more from then on.

baseline: iwae_loss
caught-by: random-draws, outputs-against-truth, gradients-against-truth, timed-outputs
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

        self.enough = None

    def bound(self, x, samples):
        mu, log_var = self.encoder(x).chunk(2, dim=-1)
        std = torch.exp(0.5 * log_var)
        z = mu + std * torch.randn(samples, *mu.shape, dtype=x.dtype, device=x.device)
        logits = self.decoder(z)
        fits = (x * logits - F.softplus(logits)).sum(dim=-1)
        prior = (-0.5 * z**2 - HALF_LOG).sum(dim=-1)
        posterior = (-0.5 * ((z - mu) / std) ** 2 - 0.5 * log_var - HALF_LOG).sum(dim=-1)
        return -(torch.logsumexp(fits + prior - posterior, dim=0) - math.log(samples)).mean()

    def forward(self, x):
        if self.enough is not None:
            return self.bound(x, self.enough)
        loss = self.bound(x, SAMPLES)
        self.enough = SAMPLES
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            for samples in (4, 2, 1):
                if torch.isclose(self.bound(x, samples), loss, rtol=5e-2):
                    self.enough = samples
        return loss
