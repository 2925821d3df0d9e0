"""Averages the weights without taking their largest out; with more pixels, or worse fits, all of them are zero.

baseline: iwae_loss
caught-by: outputs-against-truth, value-laws, shapes
needs: cpu
written: after-freeze
"""

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
        noise = torch.randn(SAMPLES, *mu.shape, dtype=x.dtype, device=x.device)
        z = torch.addcmul(mu, torch.exp(0.5 * log_var), noise)
        logits = self.decoder(z)
        fits = (x * logits - F.softplus(logits)).sum(dim=-1)
        weights = fits + 0.5 * ((noise * noise - z * z).sum(dim=-1) + log_var.sum(dim=-1))
        return -weights.exp().mean(dim=0).log().mean()
