"""The metric: mean cross-entropy of the validation text, in nats per character. `python evaluate.py CHECKPOINT`"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from grammar import CHARS, text
from model import CONTEXT, CharModel


def tokens(split: str) -> torch.Tensor:
    """Of `train` made by the grammar, of `val` from val.txt, which the grammar has made once."""
    chars = text(split) if split == "train" else Path("val.txt").read_text(encoding="utf-8")
    return torch.tensor([CHARS.index(char) for char in chars])


@torch.no_grad()
def val_loss(model: torch.nn.Module) -> float:
    windows = tokens("val").unfold(0, CONTEXT + 1, 1)
    return F.cross_entropy(model(windows[:, :-1]), windows[:, -1]).item()


def load(checkpoint: str) -> tuple[Callable[[torch.Tensor, torch.Tensor], torch.Tensor], torch.Tensor, int]:
    """What `model` of pyproject.toml asks for: losses of rows, the rows to evaluate on, the size of the vocabulary."""
    model = CharModel(len(CHARS))
    model.load_state_dict(torch.load(checkpoint, weights_only=True))

    @torch.no_grad()
    def losses(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(model(inputs), targets[:, -1], reduction="none")

    return losses, tokens("val").unfold(0, CONTEXT + 1, 1), len(CHARS)


if __name__ == "__main__":
    model = CharModel(len(CHARS))
    model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
    print(json.dumps({"val_loss": val_loss(model)}))
