"""Joins the sequences, writes them all through one mask, and derives labels and positions from the lengths.

baseline: pad_batch
needs: cpu
written: after-freeze
"""

import torch


def pad_batch(sequences):
    tokens = torch.cat(sequences)
    counts = [len(sequence) for sequence in sequences]
    lengths = torch.tensor(counts, device=tokens.device)[:, None]
    places = torch.arange(max(counts), dtype=tokens.dtype, device=tokens.device)
    mask = places < lengths
    ids = tokens.new_zeros(mask.shape).masked_scatter_(mask, tokens)
    labels = tokens.new_full(mask.shape, -100)
    labels[:, :-1].copy_(ids[:, 1:]).masked_fill_(~mask[:, 1:], -100)
    return {"ids": ids, "labels": labels, "mask": mask, "positions": places * mask}
