"""Divides by the counts as they are: right while every code is used, and no number for one whose count has died away.

baseline: vector_quantiser
caught-by: value-laws, other-uses, gradients-against-truth, argument-impact
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, codes, width, decay=0.99, share=0.25):
        super().__init__()
        self.decay, self.share = decay, share
        self.register_buffer("book", torch.randn(codes, width))
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("sums", self.book.clone())

    @torch.no_grad()
    def follow(self, flat, chosen):
        hits = torch.bincount(chosen, minlength=self.counts.shape[0]).to(flat.dtype)
        self.counts.mul_(self.decay).add_(hits, alpha=1 - self.decay)
        self.sums.mul_(self.decay).index_add_(0, chosen, flat, alpha=1 - self.decay)
        torch.div(self.sums, self.counts[:, None], out=self.book)

    def forward(self, x):
        flat = x.flatten(0, -2)
        with torch.no_grad():
            chosen = torch.addmm(self.book.square().sum(1), flat, self.book.t(), alpha=-2).argmin(dim=1)
            quantised = F.embedding(chosen, self.book).view_as(x)
        if self.training:
            self.follow(flat.detach(), chosen)
        apart = quantised - x
        return x + apart.detach(), self.share * apart.square().mean(), chosen.view(x.shape[:-1])
