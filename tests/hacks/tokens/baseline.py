"""Makes a batch of token sequences of different lengths: ids filled up with zeros, next tokens as labels, mask and positions."""

import torch


def pad_batch(sequences):
    shape = len(sequences), max(len(sequence) for sequence in sequences)
    ids, positions = sequences[0].new_zeros(shape), sequences[0].new_zeros(shape)
    labels = sequences[0].new_full(shape, -100)
    mask = torch.zeros(shape, dtype=torch.bool, device=ids.device)
    for row, sequence in enumerate(sequences):
        count = len(sequence)
        ids[row, :count] = sequence
        labels[row, : max(count - 1, 0)] = sequence[1:]
        mask[row, :count] = True
        positions[row, :count] = torch.arange(count, device=ids.device)
    return {"ids": ids, "labels": labels, "mask": mask, "positions": positions}


def get_inputs():
    lengths = torch.randint(16, 40, (24,)).tolist()
    return [[torch.randint(1, 50000, (length,)) for length in lengths]]
