"""The language reference that comes with Python, as one tensor of characters."""

from __future__ import annotations

from pydoc_data.topics import topics

import torch


def encoded(device):
    text = "".join(topics[name] for name in sorted(topics))
    places = {char: place for place, char in enumerate(sorted(set(text)))}
    return torch.tensor([places[char] for char in text], device=device), len(places)
