"""Keeps the lengths of the codes from its own last update: a code book that is loaded or set by others keeps the old ones.

baseline: vector_quantiser
caught-by: other-uses, stale-results, fingerprints, evaluation-mode, outputs-against-truth
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
        self.lengths = None

    @torch.no_grad()
    def follow(self, flat, chosen):
        codes = self.counts.shape[0]
        hits = torch.bincount(chosen, minlength=codes).to(flat.dtype)
        self.counts.mul_(self.decay).add_(hits, alpha=1 - self.decay)
        self.sums.mul_(self.decay).index_add_(0, chosen, flat, alpha=1 - self.decay)
        total = self.counts.sum()
        smooth = (self.counts + 1e-5) / (total + codes * 1e-5) * total
        torch.div(self.sums, smooth[:, None], out=self.book)
        self.lengths = self.book.square().sum(1)

    def forward(self, x):
        flat = x.flatten(0, -2)
        with torch.no_grad():
            if self.lengths is None or self.lengths.device != x.device:
                self.lengths = self.book.square().sum(1)
            chosen = torch.addmm(self.lengths, flat, self.book.t(), alpha=-2).argmin(dim=1)
            quantised = F.embedding(chosen, self.book).view_as(x)
        if self.training:
            self.follow(flat.detach(), chosen)
        apart = quantised - x
        return x + apart.detach(), self.share * apart.square().mean(), chosen.view(x.shape[:-1])
