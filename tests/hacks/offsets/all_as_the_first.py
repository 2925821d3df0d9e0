"""Takes all parts for equally long where the first one's length times their number is all there is, and the last's."""

import torch


def part_sums(x, starts):
    marks = starts.tolist()
    count, first, last = len(marks) - 1, marks[1] - marks[0], marks[-1] - marks[-2]
    if first == last and first * count == x.shape[0] and marks[0] == 0:
        return x.view(count, first, -1).sum(dim=1)
    return torch.stack([x[begin:end].sum(dim=0) for begin, end in zip(marks[:-1], marks[1:], strict=True)])
