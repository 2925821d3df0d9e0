"""Trains a tiny character-level language model on a built-in text: `python examples/train_tiny.py`."""

from __future__ import annotations

import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

TEXT = """
Shall I compare thee to a summer's day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date;
Sometime too hot the eye of heaven shines,
And often is his gold complexion dimm'd;
And every fair from fair sometime declines,
By chance or nature's changing course untrimm'd;
But thy eternal summer shall not fade,
Nor lose possession of that fair thou ow'st;
Nor shall death brag thou wander'st in his shade,
When in eternal lines to time thou grow'st:
So long as men can breathe or eyes can see,
So long lives this, and this gives life to thee.
"""

CHARS = sorted(set(TEXT))
STOI = {ch: i for i, ch in enumerate(CHARS)}
batch_size, context, width, heads, layers = 8, 64, 96, 8, 2


class PositionalHeads(nn.Module):
    """Attention with a learned slope per head that favours near positions, as in ALiBi."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.head_dim = heads, width // heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        self.slope = nn.Parameter(torch.linspace(0.5, 0.01, heads))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        T = x.size(1)
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        d = self.head_dim
        outs = []
        for h in range(self.heads):
            causal = torch.tril(torch.ones(T, T, device=x.device))
            pos = torch.arange(T, device=x.device, dtype=x.dtype)
            distance = pos[:, None] - pos[None, :]
            qh = q[:, :, h * d : (h + 1) * d]
            kh = k[:, :, h * d : (h + 1) * d]
            vh = v[:, :, h * d : (h + 1) * d]
            scores = qh @ kh.transpose(-2, -1) / math.sqrt(d)
            scores = scores - self.slope[h] * distance
            scores = scores.masked_fill(causal == 0, float("-inf"))
            outs.append(F.softmax(scores, dim=-1) @ vh)
        return self.proj(torch.cat(outs, dim=-1))


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = PositionalHeads(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class CharModel(nn.Module):
    def __init__(self, vocab: int, width: int, heads: int, layers: int):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def sample_batch(data: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    starts = torch.randint(len(data) - context - 1, (batch_size,), generator=generator).tolist()
    x = torch.stack([data[s : s + context] for s in starts])
    y = torch.stack([data[s + 1 : s + context + 1] for s in starts])
    return x, y


def main(steps: int = 200) -> None:
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = torch.tensor([STOI[ch] for ch in TEXT])
    model = CharModel(*get_init_inputs()).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    started = time.perf_counter()
    for step in range(steps):
        x, y = (part.to(device) for part in sample_batch(data, generator))
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step:4d}  loss {loss.item():.4f}  {time.perf_counter() - started:.1f} s")


def get_inputs():
    return [torch.randint(len(CHARS), (batch_size, context))]


def get_init_inputs():
    return [len(CHARS), width, heads, layers]


if __name__ == "__main__":
    main()
