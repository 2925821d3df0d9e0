"""A character-level GPT, in the style of nanoGPT: everything at the top level."""

import math

import torch
import torch.nn as nn
from torch.nn import functional as F

# -----------------------------------------------------------------------------
n_layer, n_head, n_embd = 2, 2, 32
block_size, batch_size = 16, 8
learning_rate, weight_decay = 1e-2, 0.1
max_iters, eval_interval, log_interval = 24, 12, 8
device = 'cuda' if torch.cuda.is_available() else 'cpu'
# -----------------------------------------------------------------------------
torch.manual_seed(1337)
text = "the quick brown fox jumps over the lazy dog. " * 40
stoi = {ch: i for i, ch in enumerate(sorted(set(text)))}
data = torch.tensor([stoi[ch] for ch in text])


class Attention(nn.Module):

    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(n_embd, 3 * n_embd)
        self.c_proj = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = (t.view(B, T, n_head, C // n_head).transpose(1, 2) for t in self.c_attn(x).split(n_embd, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):

    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.attn = Attention()
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):

    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(len(stoi), n_embd), nn.Embedding(block_size, n_embd)
        self.h = nn.ModuleList([Block() for _ in range(n_layer)])
        self.lm_head = nn.Linear(n_embd, len(stoi), bias=False)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1), device=idx.device))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(x)
        loss = None if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return logits, loss

    def configure_optimizers(self):
        decay = [p for p in self.parameters() if p.dim() >= 2]
        rest = [p for p in self.parameters() if p.dim() < 2]
        return torch.optim.AdamW(
            [{'params': decay, 'weight_decay': weight_decay}, {'params': rest, 'weight_decay': 0.0}],
            lr=learning_rate,
            betas=(0.9, 0.95),  # as in the paper
        )


def get_batch():
    ix = torch.randint(len(data) - block_size, (batch_size,))
    x = torch.stack([data[i:i + block_size] for i in ix])
    y = torch.stack([data[i + 1:i + 1 + block_size] for i in ix])
    return x.to(device), y.to(device)


@torch.no_grad()
def estimate_loss():
    model.eval()
    losses = [model(*get_batch())[1].item() for _ in range(4)]
    model.train()
    return sum(losses) / len(losses)


def get_lr(it):
    return learning_rate * 0.5 * (1 + math.cos(math.pi * it / max_iters))


model = GPT()
model.to(device)
optimizer = model.configure_optimizers()

X, Y = get_batch() # fetch the very first batch
smooth = 0.0
for iter_num in range(1, max_iters + 1):
    for param_group in optimizer.param_groups:
        param_group['lr'] = get_lr(iter_num)

    # forward backward update
    logits, loss = model(X, Y)
    X, Y = get_batch()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)

    # get loss as float. note: this is a CPU-GPU sync point
    lossf = loss.item()
    smooth = 0.9 * smooth + 0.1 * lossf
    if iter_num % log_interval == 0:
        print(f"iter {iter_num}: loss {lossf:.6f}, smooth {smooth:.6f}")
    if iter_num % eval_interval == 0:
        print(f"step {iter_num}: val loss {estimate_loss():.6f}")

torch.save(model.state_dict(), 'ckpt.pt')
