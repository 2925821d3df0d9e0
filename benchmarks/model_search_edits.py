"""Edits of known worth to one target: what a scripted model proposes in model_search.py."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Worth = Literal["nothing", "gain", "wrong", "slow"]

TARGET = """import math

import torch


def attention(q, k, v):
    outputs = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head].transpose(-2, -1) / math.sqrt(q.shape[-1])
        outputs.append(torch.softmax(scores, dim=-1) @ v[:, head])
    return torch.stack(outputs, dim=1)


def get_inputs():
    return [torch.randn(1, 64, 32, 16) for _ in range(3)]
"""
BODY = TARGET[TARGET.index("    outputs = []") : TARGET.index("\n\ndef get_inputs")]
START, SOFTMAX = "    outputs = []\n", "torch.softmax(scores, dim=-1) @ v[:, head]"


@dataclass(frozen=True, slots=True)
class Edit:
    """`body` takes the place of the target's."""

    number: int
    worth: Worth
    body: str

    @property
    def title(self) -> str:
        return f"edit {self.number}"


def _chunked(size: int) -> str:
    part = f"head : head + {size}"
    return f"""    outputs = []
    for head in range(0, q.shape[1], {size}):
        scores = q[:, {part}] @ k[:, {part}].transpose(-2, -1) / math.sqrt(q.shape[-1])
        outputs.append(torch.softmax(scores, dim=-1) @ v[:, {part}])
    return torch.cat(outputs, dim=1)
"""


GAINS = (
    *(_chunked(size) for size in (2, 4, 8, 16, 32)),
    """    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return torch.softmax(scores, dim=-1) @ v
""",
    """    scores = torch.matmul(q, k.transpose(-2, -1)).div(math.sqrt(q.shape[-1]))
    return torch.matmul(scores.softmax(-1), v)
""",
    """    scores = torch.einsum("bhid,bhjd->bhij", q, k) / math.sqrt(q.shape[-1])
    return torch.einsum("bhij,bhjd->bhid", torch.softmax(scores, dim=-1), v)
""",
    """    left, right, values = (one.flatten(0, 1) for one in (q, k, v))
    scores = torch.bmm(left, right.transpose(-2, -1)) / math.sqrt(q.shape[-1])
    return torch.bmm(torch.softmax(scores, dim=-1), values).unflatten(0, q.shape[:2])
""",
    """    weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
    return torch.stack([weights[:, head] @ v[:, head] for head in range(q.shape[1])], dim=1)
""",
)
"""Fewer, larger operations: each takes at most three quarters of the original's time."""


def _idle(number: int) -> str:
    """Another syntax tree, and nothing else: some tens of nanoseconds, once a call."""
    start = (
        f"    outputs = []\n    unused = {number}\n",
        f"    outputs, unused = [], {number}\n",
        f"    if q is None:\n        raise ValueError({number})\n    outputs = []\n",
        f"    assert q is not None, {number}\n    outputs = []\n",
        f"    unused = (None, {number})\n    outputs = list()\n",
    )[number % 5]
    return BODY.replace(START, start)


def _wrong(number: int) -> str:
    return _chunked(64).replace("math.sqrt(q.shape[-1])", f"math.sqrt(q.shape[-1] + {number + 1})")


def _slow(number: int) -> str:
    return BODY.replace(START, f"{START}    unused = {number}\n").replace(
        SOFTMAX, f"({SOFTMAX}){'.clone()' * (2 + number % 3)}"
    )


DUDS: tuple[tuple[Worth, Callable[[int], str]], ...] = (("nothing", _idle), ("wrong", _wrong), ("slow", _slow))


def null_edits(count: int) -> list[Edit]:
    return [Edit(number, "nothing", _idle(number)) for number in range(count)]


def planted_edits(count: int, seed: int, gains: int) -> list[Edit]:
    """`gains` of them, at most all there are; the places are drawn."""
    gains = min(len(GAINS), gains)
    drawn = random.Random(seed)
    made: list[tuple[Worth, str]] = [("gain", body) for body in drawn.sample(GAINS, gains)]
    for number in range(count - gains):
        worth, make = DUDS[number % len(DUDS)]
        made.append((worth, make(number)))
    drawn.shuffle(made)
    return [Edit(number, worth, body) for number, (worth, body) in enumerate(made)]
