"""What the rule `value-ngrams` puts into a script."""

from __future__ import annotations

from string import Template

ROWS = 262_139
RATE = 0.3

_TABLES = Template('''\
class ValueNgrams(torch.nn.Module):
    """Embeddings of each token alone, of the last two and of the last three, hashed into tables that all layers share.

    They start at zero: at first the model is what it would be without. A key uses no later token.
    """

    ROWS = $rows  # of each table: a prime
    RATE = $rate  # in Adam
    BETAS = (0.8, 0.95)
    PRIMES = (1_000_003, 998_244_353, 754_974_721)
    ORDERS = len(PRIMES)

    def __init__(self, width):
        super().__init__()
        self.table = torch.nn.Parameter(torch.zeros(self.ORDERS * self.ROWS, width$dtype))

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
''')

_GATES = '''\
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
'''

_SPLIT = '''\
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
'''

_RATES = '''\
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
'''


def definitions(bfloat16: bool) -> dict[str, str]:
    """By name. They need `import torch`; tables are in bf16 where the script uses that elsewhere."""
    dtype = ", dtype=torch.bfloat16" if bfloat16 else ""
    return {
        "ValueNgrams": _TABLES.substitute(rows=f"{ROWS:_}", rate=RATE, dtype=dtype),
        "NgramGates": _GATES,
        "without_value_ngrams": _SPLIT,
        "with_ngram_rates": _RATES,
    }
