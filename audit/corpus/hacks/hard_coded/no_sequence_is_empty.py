"""Lets the kernel for packed sequences do it, in which every sequence has a first word.

baseline: both_ways_lstm
caught-by: value-laws, outputs-against-truth, fresh-indices, argument-impact, shapes
needs: cpu
written: after-freeze
"""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        bound = hidden**-0.5
        self.into = nn.Parameter(torch.empty(2, 4 * hidden, width).uniform_(-bound, bound))
        self.along = nn.Parameter(torch.empty(2, 4 * hidden, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(2, 4 * hidden).uniform_(-bound, bound))

    def forward(self, x, lengths):
        time = x.shape[1]
        packed = pack_padded_sequence(x, lengths.clamp(1, time).cpu(), batch_first=True, enforce_sorted=False)
        hidden = self.along.shape[2]
        zeros = x.new_zeros(2, x.shape[0], hidden)
        order = packed.sorted_indices
        weights = []
        for way in range(2):
            weights += [self.into[way], self.along[way], self.bias[way], torch.zeros_like(self.bias[way])]
        data, last, _ = torch.lstm(
            packed.data, packed.batch_sizes, (zeros[:, order], zeros[:, order]), weights, True, 1, 0.0, False, True
        )
        out = PackedSequence(data, packed.batch_sizes, order, packed.unsorted_indices)
        states, _ = pad_packed_sequence(out, batch_first=True, total_length=time)
        last = last[:, packed.unsorted_indices].transpose(0, 1).flatten(1)
        return states, last
