"""Writes the straight-through gradient and the loss's own by hand, for either, both or none of them in use.

baseline: vector_quantiser
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, quantised, share):
        apart = quantised - x
        ctx.save_for_backward(apart)
        ctx.share = share
        return x + apart, share * apart.square().mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, flowing, of_loss):
        (apart,) = ctx.saved_tensors
        return flowing - apart * (of_loss * (2 * ctx.share / max(apart.numel(), 1))), None, None


class Model(nn.Module):
    def __init__(self, codes, width, decay=0.99, share=0.25):
        super().__init__()
        self.decay, self.share = decay, share
        self.register_buffer("book", torch.randn(codes, width))
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("sums", self.book.clone())

    @torch.no_grad()
    def follow(self, flat, chosen):
        codes = self.counts.shape[0]
        hits = torch.bincount(chosen, minlength=codes).to(flat.dtype)
        self.counts.mul_(self.decay).add_(hits, alpha=1 - self.decay)
        self.sums.mul_(self.decay).index_add_(0, chosen, flat, alpha=1 - self.decay)
        total = self.counts.sum()
        smooth = (self.counts + 1e-5) / (total + codes * 1e-5) * total
        torch.div(self.sums, smooth[:, None], out=self.book)

    def forward(self, x):
        flat = x.flatten(0, -2)
        with torch.no_grad():
            own = flat.square().sum(1, keepdim=True)
            chosen = (own - 2 * flat @ self.book.t()).add_(self.book.square().sum(1)).argmin(dim=1)
            quantised = F.embedding(chosen, self.book).view_as(x)
        if self.training:
            self.follow(flat.detach(), chosen)
        y, loss = Through.apply(x, quantised, self.share)
        return y, loss, chosen.view(x.shape[:-1])
