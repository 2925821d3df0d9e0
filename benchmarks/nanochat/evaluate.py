"""The benchmark's fixed part: how rows are read, and the bits per byte of a model. A change may not touch it."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

BATCH = 32


def load_rows(folder: Path, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows of the training and of the validation text, (rows, length + 1) int32, and the bytes of each token."""
    train, val = (torch.from_numpy(np.load(folder / f"{name}.npy").astype(np.int32)) for name in ("train", "val"))
    lengths = torch.from_numpy(np.load(folder / "token_bytes.npy"))
    return train.to(device), val.to(device), lengths.to(device)


@torch.no_grad()
def bits_per_byte(
    losses: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], rows: torch.Tensor, lengths: torch.Tensor
) -> float:
    """Σ nats / (ln 2 · Σ bytes) over the targets that stand for text. `losses` gives nats for each target."""
    nats, size = 0.0, 0
    for batch in rows.long().split(BATCH):
        targets = batch[:, 1:].reshape(-1)
        bytes_of = lengths[targets]
        found = losses(batch[:, :-1], batch[:, 1:]).reshape(-1).double()
        nats += float((found * (bytes_of > 0)).sum())
        size += int(bytes_of.sum())
    return nats / (math.log(2) * size)


def load(checkpoint: str) -> tuple[Callable[[torch.Tensor, torch.Tensor], torch.Tensor], torch.Tensor, int]:
    """For `outpace train`: losses of each target, (rows, length); the validation rows; the size of the vocabulary."""
    from train import GPT, GPTConfig

    kept = torch.load(checkpoint, weights_only=True, map_location="cpu")
    model = GPT(GPTConfig(**kept["config"]))
    model.load_state_dict(kept["model"])
    model.eval()

    def losses(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return model(inputs, targets, reduction="none").view(inputs.shape)

    rows = torch.from_numpy(np.load(Path("data") / "val.npy").astype(np.int64))
    return losses, rows, kept["config"]["vocab_size"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Bits per byte of a checkpoint that train.py left.")
    parser.add_argument("checkpoint")
    parser.add_argument("--rows", type=int, default=1024)
    arguments = parser.parse_args()
    losses, rows, _ = load(arguments.checkpoint)
    lengths = torch.from_numpy(np.load(Path("data") / "token_bytes.npy"))
    print(json.dumps({"val_bpb": round(bits_per_byte(losses, rows[: arguments.rows], lengths), 6)}))


if __name__ == "__main__":
    main()
