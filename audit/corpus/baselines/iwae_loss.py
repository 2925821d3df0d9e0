"""The importance-weighted bound of a variational autoencoder of binary data, eight samples each; trained."""

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
        weights = []
        for noise in torch.randn(SAMPLES, *mu.shape, dtype=x.dtype, device=x.device):
            z = mu + std * noise
            logits = self.decoder(z)
            fits = (x * logits - F.softplus(logits)).sum(dim=-1)
            prior = (-0.5 * z**2 - HALF_LOG).sum(dim=-1)
            posterior = (-0.5 * ((z - mu) / std) ** 2 - 0.5 * log_var - HALF_LOG).sum(dim=-1)
            weights.append(fits + prior - posterior)
        return -(torch.logsumexp(torch.stack(weights), dim=0) - math.log(SAMPLES)).mean()


def get_inputs():
    return [torch.rand(64, 64)]


def get_init_inputs():
    return [64, 16]
