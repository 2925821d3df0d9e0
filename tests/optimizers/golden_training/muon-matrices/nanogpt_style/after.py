"""In the style of nanoGPT."""

import inspect
import math
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.nn import functional as F


class CausalSelfAttention(nn.Module):

    def __init__(self, config):
        super().__init__()
        assert config.n_embd % config.n_head == 0
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.n_head = config.n_head
        self.n_embd = config.n_embd
        self.dropout = config.dropout
        self.flash = hasattr(torch.nn.functional, 'scaled_dot_product_attention')
        if not self.flash:
            self.register_buffer("bias", torch.tril(torch.ones(config.block_size, config.block_size)))

    def forward(self, x):
        B, T, C = x.size() # batch size, sequence length, embedding dimensionality (n_embd)

        # calculate query, key, values for all heads in batch and move head forward to be the batch dim
        q, k, v  = self.c_attn(x).split(self.n_embd, dim=2)
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

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
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


class MuonAdamW(torch.optim.AdamW):
    """AdamW, but weight matrices of a model's repeated blocks are stepped by Muon: along their momentum with all of its
    singular values near 1. A schedule that changes a group's rate, relative to the one that the optimizer was made
    with, changes Muon's alike.
    """

    RATE = 0.02  # length of a step in each direction
    MOMENTUM = 0.95
    SMALLEST = 16  # narrower matrices are gates and the like

    def __init__(self, params, *args, model, **kwargs):
        groups = list(params)
        groups = groups if groups and isinstance(groups[0], dict) else [{"params": groups}]
        matrices, kept = self.matrices(model), []
        for group in groups:
            every = [group["params"]] if isinstance(group["params"], torch.Tensor) else list(group["params"])
            for muon in (False, True):
                own = [p for p in every if (id(p) in matrices) == muon]
                if own:
                    kept.append({**group, "params": own, "muon": muon})
        if not any(group["muon"] for group in kept):
            raise ValueError("the model has no weight matrices in blocks that it repeats: Muon has nothing to step")
        super().__init__(kept, *args, **kwargs)
        self._step_supports_amp_scaling = False  # a gradient scaler unscales for all alike

    @classmethod
    def matrices(cls, model):
        """Ids of what is 2-D in modules of one type of which a list or a sequence holds several, embeddings aside."""
        found, embeddings = {}, set()
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                embeddings.add(id(module.weight))
            if not isinstance(module, (torch.nn.ModuleList, torch.nn.Sequential)):
                continue
            types = [type(child) for child in module if next(child.children(), None) is not None]
            for child in module:
                if types.count(type(child)) > 1:
                    found.update((id(p), p) for p in child.parameters() if p.ndim == 2)
        return {key for key, p in found.items() if min(p.shape) >= cls.SMALLEST and key not in embeddings}

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        grads = []
        for group in self.param_groups:
            for p in group["params"] if group["muon"] else ():
                if p.grad is not None:
                    grads.append((p, p.grad))
                    self._step_matrix(p, group)
                    p.grad = None
        super().step()
        for p, grad in grads:
            p.grad = grad
        return loss

    def _step_matrix(self, p, group):
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"], state["step"] = torch.zeros_like(p), torch.zeros(())  # checkpoints of AdamW have steps
        momentum = state["momentum"].lerp_(p.grad, 1 - self.MOMENTUM)
        update = p.grad.lerp(momentum, self.MOMENTUM)
        stacked = 3 if p.size(0) == 3 * p.size(1) else 1  # queries, keys and values in one
        update = torch.cat([self.orthogonal(part) for part in update.chunk(stacked)])
        tall = max(1.0, p.size(0) / stacked / p.size(1)) ** 0.5
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.sub_(update * (group["lr"] / self.defaults["lr"] * self.RATE * tall))

    @staticmethod
    def orthogonal(update):
        """Nearly U V^T for U S V^T, by five steps of an odd polynomial that drives singular values towards 1."""
        x = update.bfloat16() if update.is_cuda else update.float()
        tall = x.size(0) > x.size(1)
        x = x.mT if tall else x
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            square = x @ x.mT
            x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
        return (x.mT if tall else x).to(update.dtype)


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
        for block in self.transformer.h:
            x = block(x)
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
        return MuonAdamW(optim_groups, lr=learning_rate, betas=betas, **extra_args, model=self)


def make_model():
    return GPT(GPTConfig())


def make_optimizers(model):
    return [model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), 'cpu')]


def set_rate(optimizer, iter_num, learning_rate=1e-3, warmup_iters=100):
    lr = learning_rate * (iter_num + 1) / warmup_iters
    for param_group in optimizer.param_groups:
        param_group['lr'] = lr
