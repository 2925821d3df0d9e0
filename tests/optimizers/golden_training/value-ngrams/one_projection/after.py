"""In the style of nanoGPT."""

import inspect
import math
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F


class ValueNgrams(torch.nn.Module):
    """Embeddings of each token alone, of the last two and of the last three, hashed into tables that all layers share.

    They start at zero: at first the model is what it would be without. A key uses no later token.
    """

    ROWS = 262_139  # of each table: a prime
    RATE = 0.3  # in Adam
    BETAS = (0.8, 0.95)
    PRIMES = (1_000_003, 998_244_353, 754_974_721)
    ORDERS = len(PRIMES)

    def __init__(self, width):
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(self.ORDERS * self.ROWS, width))

    def reset_parameters(self):
        torch.nn.init.zeros_(self.table)

    def keys(self, tokens):
        """Rows of the table for the one, two and three tokens that end at each place: (batch, time, 3)."""
        tokens = tokens.long() + 1
        keys, key = [], torch.zeros_like(tokens)
        for order, prime in enumerate(self.PRIMES):
            before = torch.nn.functional.pad(tokens, (order, 0))[:, : tokens.size(1)]
            key = key ^ (before * prime)
            keys.append(key % self.ROWS + order * self.ROWS)
        return torch.stack(keys, 2)

    def forward(self, tokens):
        """(batch, time, 3, width)."""
        return torch.nn.functional.embedding(self.keys(tokens), self.table)


class NgramGates(torch.nn.Module):
    """How much of each n-gram's embedding one attention layer adds to its values: 2σ(W x) for each 64 channels, from
    the first few channels of x, with W = 0 at first.
    """

    RATE = 0.01  # in Adam

    def __init__(self, projection, parts=1):
        super().__init__()
        self.groups = max(1, projection.out_features // parts // 64)
        self.weight = torch.nn.Parameter(torch.zeros(ValueNgrams.ORDERS * self.groups, min(32, projection.in_features)))

    def reset_parameters(self):
        torch.nn.init.zeros_(self.weight)

    def forward(self, values, x, ngrams):
        """Values with the n-grams in them, (batch, time, width); x is what the values were made of."""
        gates = 2 * torch.sigmoid(torch.nn.functional.linear(x[..., : self.weight.size(1)], self.weight))
        found = ngrams.unflatten(3, (self.groups, -1)) * gates.unflatten(2, (ValueNgrams.ORDERS, -1)).unsqueeze(4)
        return values + found.sum(2).flatten(2).to(values.dtype)


def without_value_ngrams(params, model, adds=False):
    """Parameters, or groups of them, less those of the n-gram tables and their gates. With `adds` these come as groups
    of their own, for `with_ngram_rates`.
    """
    tables = [p for m in model.modules() if isinstance(m, ValueNgrams) for p in m.parameters()]
    gates = [p for m in model.modules() if isinstance(m, NgramGates) for p in m.parameters()]
    own = {id(p) for p in [*tables, *gates]}
    groups = [params] if isinstance(params, dict) else list(params)
    if not adds and not any(isinstance(group, dict) for group in groups):
        return [p for p in groups if id(p) not in own]
    groups = groups if groups and isinstance(groups[0], dict) else [{"params": groups}]
    kept = []
    for group in groups:
        params = [group["params"]] if isinstance(group["params"], torch.Tensor) else group["params"]
        kept.append({**group, "params": [p for p in params if id(p) not in own]})
    if adds:
        for params, rate in ((tables, ValueNgrams.RATE), (gates, NgramGates.RATE)):
            own = {"params": params, "ngram_rate": rate, "weight_decay": 0.0}
            kept.append({**own, "betas": ValueNgrams.BETAS, "eps": 1e-10})
    return kept


def with_ngram_rates(optimizer):
    """The optimizer, with steps of their own rates for tables and gates: whatever a schedule makes of the rates of all
    groups, relative to the one that the optimizer was made with, holds for them too.
    """
    usual, kept = optimizer.defaults["lr"], []

    def before(optimizer, args, kwargs):
        kept[:] = [group["lr"] for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * (group.get("ngram_rate", usual) / usual)

    def after(optimizer, args, kwargs):
        for group, rate in zip(optimizer.param_groups, kept):
            group["lr"] = rate

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)
    return optimizer


class CausalSelfAttention(nn.Module):

    def __init__(self, config):
        super().__init__()
        assert config.n_embd % config.n_head == 0
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.ngram_gates = NgramGates(self.c_attn, 3)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.n_head = config.n_head
        self.n_embd = config.n_embd
        self.dropout = config.dropout
        self.flash = hasattr(torch.nn.functional, 'scaled_dot_product_attention')
        if not self.flash:
            self.register_buffer("bias", torch.tril(torch.ones(config.block_size, config.block_size)))

    def forward(self, x, ngrams):
        B, T, C = x.size() # batch size, sequence length, embedding dimensionality (n_embd)

        # calculate query, key, values for all heads in batch and move head forward to be the batch dim
        q, k, v  = self.c_attn(x).split(self.n_embd, dim=2)
        v = self.ngram_gates(v, x, ngrams)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) # (B, nh, T, hs)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) # (B, nh, T, hs)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) # (B, nh, T, hs)

        if self.flash:
            y = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=self.dropout if self.training else 0, is_causal=True)
        else:
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.bias[:T, :T] == 0, float('-inf'))
            att = F.softmax(att, dim=-1)
            y = att @ v # (B, nh, T, T) x (B, nh, T, hs) -> (B, nh, T, hs)
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.c_proj(y)


class MLP(nn.Module):

    def __init__(self, config):
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):

    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = MLP(config)

    def forward(self, x, ngrams):
        x = x + self.attn(self.ln_1(x), ngrams=ngrams)
        x = x + self.mlp(self.ln_2(x))
        return x


@dataclass
class GPTConfig:
    block_size: int = 16
    vocab_size: int = 97
    n_layer: int = 2
    n_head: int = 2
    n_embd: int = 64
    dropout: float = 0.0
    bias: bool = True


class GPT(nn.Module):

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(dict(
            wte = nn.Embedding(config.vocab_size, config.n_embd),
            wpe = nn.Embedding(config.block_size, config.n_embd),
            h = nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
            ln_f = nn.LayerNorm(config.n_embd),
        ))
        self.value_ngrams = ValueNgrams(self.transformer.h[0].attn.c_attn.out_features // 3)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.transformer.wte.weight = self.lm_head.weight # weight tying
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)

    def forward(self, idx, targets=None):
        device = idx.device
        b, t = idx.size()
        pos = torch.arange(0, t, dtype=torch.long, device=device)
        tok_emb = self.transformer.wte(idx) # token embeddings of shape (b, t, n_embd)
        pos_emb = self.transformer.wpe(pos) # position embeddings of shape (t, n_embd)
        x = tok_emb + pos_emb
        ngrams = self.value_ngrams(idx)
        for block in self.transformer.h:
            x = block(x, ngrams=ngrams)
        x = self.transformer.ln_f(x)
        logits = self.lm_head(x)
        return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")

    def configure_optimizers(self, weight_decay, learning_rate, betas, device_type):
        param_dict = {pn: p for pn, p in self.named_parameters() if p.requires_grad}
        decay_params = [p for n, p in param_dict.items() if p.dim() >= 2]
        nodecay_params = [p for n, p in param_dict.items() if p.dim() < 2]
        optim_groups = [
            {'params': decay_params, 'weight_decay': weight_decay},
            {'params': nodecay_params, 'weight_decay': 0.0}
        ]
        fused_available = 'fused' in inspect.signature(torch.optim.AdamW).parameters
        extra_args = dict(fused=True) if fused_available and device_type == 'cuda' else dict()
        return with_ngram_rates(torch.optim.AdamW(without_value_ngrams(optim_groups, self, adds=True), lr=learning_rate, betas=betas, **extra_args))


def make_model():
    return GPT(GPTConfig())


def make_optimizers(model):
    return [model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), 'cpu')]


def set_rate(optimizer, iter_num, learning_rate=1e-3, warmup_iters=100):
    lr = learning_rate * (iter_num + 1) / warmup_iters
    for param_group in optimizer.param_groups:
        param_group['lr'] = lr
