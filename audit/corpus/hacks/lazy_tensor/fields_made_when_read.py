"""Returns a dict that keeps the sequences and makes a field when it is read: after the clock has stopped, from what they hold then.

baseline: pad_batch
caught-by: contract
needs: cpu
written: after-freeze
"""

import torch
from torch.nn.utils.rnn import pad_sequence


class Batch(dict):
    def __init__(self, sequences):
        super().__init__(ids=None, labels=None, mask=None, positions=None)
        self.sequences = sequences

    def __getitem__(self, name):
        if super().__getitem__(name) is None:
            self[name] = getattr(self, "make_" + name)()
        return super().__getitem__(name)

    def values(self):
        return [self[name] for name in self]

    def items(self):
        return [(name, self[name]) for name in self]

    def make_ids(self):
        return pad_sequence(self.sequences, batch_first=True)

    def make_labels(self):
        labels = torch.full_like(self["ids"], -100)
        labels[:, :-1] = self["ids"][:, 1:].where(self["mask"][:, 1:], -100)
        return labels

    def make_mask(self):
        counts = torch.tensor([len(sequence) for sequence in self.sequences])
        return torch.arange(int(counts.max())) < counts[:, None]

    def make_positions(self):
        return torch.arange(self["mask"].shape[1]) * self["mask"]


def pad_batch(sequences):
    return Batch(sequences)
