"""The metric: mean cross-entropy of the validation text, in nats per character. `python evaluate.py CHECKPOINT`"""

from __future__ import annotations

import json
import sys

import torch
import torch.nn.functional as F
from grammar import CHARS, text
from model import CONTEXT, CharModel


def tokens(split: str) -> torch.Tensor:
    return torch.tensor([CHARS.index(char) for char in text(split)])


@torch.no_grad()
def val_loss(model: torch.nn.Module) -> float:
    windows = tokens("val").unfold(0, CONTEXT + 1, 1)
    return F.cross_entropy(model(windows[:, :-1]), windows[:, -1]).item()


if __name__ == "__main__":
    model = CharModel(len(CHARS))
    model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
    print(json.dumps({"val_loss": val_loss(model)}))
