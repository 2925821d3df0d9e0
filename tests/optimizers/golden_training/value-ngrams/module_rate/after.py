import torch
import torch.nn as nn
import torch.nn.functional as F


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


class Mixer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        self.ngram_gates = NgramGates(self.to_v)
        self.out = nn.Linear(width, width)

    def forward(self, h: torch.Tensor, causal: bool = True, ngrams=None) -> torch.Tensor:
        b, t, c = h.shape
        q = self.to_q(h).view(b, t, self.heads, -1).transpose(1, 2)
        k = self.to_k(h).view(b, t, self.heads, -1).transpose(1, 2)
        v = self.ngram_gates(self.to_v(h), h, ngrams).view(b, t, self.heads, -1).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out(y.transpose(1, 2).reshape(b, t, c))


class Stage(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = Mixer(width, heads)
        self.feed = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h, ngrams):
        h = h + self.mix(self.norm(h), ngrams=ngrams)  # residual
        return h + self.feed(h)


class Net(nn.Module):
    def __init__(self, vocab=97, width=64, heads=2, depth=2, length=16):
        super().__init__()
        self.words = nn.Embedding(vocab, width)
        self.places = nn.Embedding(length, width)
        self.head = nn.Linear(width, vocab, bias=False)
        self.stages = nn.ModuleList([Stage(width, heads) for _ in range(depth)])
        self.value_ngrams = ValueNgrams(self.stages[0].mix.to_v.out_features)

    def forward(self, ids, targets):
        places = torch.arange(ids.size(1), device=ids.device)
        h = self.words(ids) + self.places(places)
        ngrams = self.value_ngrams(ids)
        for index, stage in enumerate(self.stages):
            h = stage(h, ngrams=ngrams)
        return F.cross_entropy(self.head(h).transpose(1, 2), targets, reduction="none")


class Sign(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(group["lr"] * p.grad.sign())


def make_model():
    return Net()


def make_optimizers(model):
    matrices = [p for p in model.stages.parameters() if p.ndim == 2]
    own = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in own]
    adam = with_ngram_rates(torch.optim.AdamW(without_value_ngrams(rest, model, adds=True), lr=1e-3))
    return [adam, Sign(without_value_ngrams(matrices, model))]


optimizers = make_optimizers(make_model())
for group in optimizers[0].param_groups:
    group["lr"] = 1e-4
