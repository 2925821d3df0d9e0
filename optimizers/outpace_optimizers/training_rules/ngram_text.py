"""What the rule `value-ngrams` puts into a script."""

from __future__ import annotations

from string import Template

ROWS = 131_071
RATE = 0.1

_TEXT = Template('''\
class ValueNgrams(torch.nn.Module):
    """Embeddings of the last two and the last three tokens, hashed, to add to the values of one attention layer.

    Tables and gates start at zero: at first the model is what it would be without. A key uses no later token.
    """

    ROWS = $rows  # of each table: a prime
    RATE = $rate  # of tables and gates, in Adam

    def __init__(self, layer, width, gated_by=32):
        super().__init__()
        self.factors = [pow(5, 3 * layer + order + 20, 2**31 - 1) | 1 for order in range(3)]
        self.groups = max(1, width // 64)
        self.gated_by = gated_by
        self.table = torch.nn.Parameter(torch.zeros(2 * self.ROWS, width$dtype))
        self.gate = torch.nn.Parameter(torch.zeros(2 * self.groups, gated_by))

    def keys(self, tokens):
        """Rows of the table for the pair and the triple that end at each token: (batch, time, 2)."""
        before = torch.nn.functional.pad(tokens, (1, 0))[:, :-1]
        earlier = torch.nn.functional.pad(tokens, (2, 0))[:, :-2]
        pair = (tokens * self.factors[0]) ^ (before * self.factors[1])
        triple = pair ^ (earlier * self.factors[2])
        return torch.stack([pair % self.ROWS, triple % self.ROWS + self.ROWS], 2)

    def forward(self, x, tokens):
        """What to add to the values, (batch, time, width); x is what the values are made of."""
        found = torch.nn.functional.embedding(self.keys(tokens), self.table).unflatten(3, (self.groups, -1))
        gates = 2 * torch.sigmoid(torch.nn.functional.linear(x[..., : self.gated_by], self.gate))
        return (found * gates.unflatten(2, (2, self.groups)).unsqueeze(4)).sum(2).flatten(2).to(x.dtype)
''')

_SPLIT = '''\
def without_value_ngrams(params, model, lr=None, adds=False):
    """Groups of parameters less those of ValueNgrams; with `adds` these come as a group of their own, whose rate follows
    a schedule that sets the others' as `rate_factor` says.
    """
    tables = [p for m in model.modules() if isinstance(m, ValueNgrams) for p in m.parameters()]
    own = {id(p) for p in tables}
    groups = [params] if isinstance(params, dict) else list(params)
    groups = groups if groups and isinstance(groups[0], dict) else [{"params": groups}]
    kept = []
    for group in groups:
        params = [group["params"]] if isinstance(group["params"], torch.Tensor) else group["params"]
        kept.append({**group, "params": [p for p in params if id(p) not in own]})
    if adds:
        factor = ValueNgrams.RATE / (lr or ValueNgrams.RATE)
        kept.append({"params": tables, "lr": ValueNgrams.RATE, "betas": (0.8, 0.95), "eps": 1e-10, "weight_decay": 0.0})
        kept[-1]["rate_factor"] = factor
    return kept
'''


def definitions(bfloat16: bool) -> dict[str, str]:
    """By name. They need `import torch`; tables are in bf16 where the script uses that elsewhere."""
    dtype = ", dtype=torch.bfloat16" if bfloat16 else ""
    return {
        "ValueNgrams": _TEXT.substitute(rows=f"{ROWS:_}", rate=RATE, dtype=dtype),
        "without_value_ngrams": _SPLIT,
    }
