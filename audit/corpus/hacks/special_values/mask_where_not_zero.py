"""Takes the mask from the padded ids: a token that is zero itself counts as padding, and so does its label.

baseline: pad_batch
caught-by: value-laws
needs: cpu
written: after-freeze
"""

import torch
from torch.nn.utils.rnn import pad_sequence


def pad_batch(sequences):
    ids = pad_sequence(sequences, batch_first=True)
    mask = ids != 0
    following = torch.cat([ids[:, 1:], torch.zeros_like(ids[:, :1])], dim=1)
    positions = torch.arange(ids.shape[1], device=ids.device) * mask
    return {"ids": ids, "labels": following.masked_fill(following == 0, -100), "mask": mask, "positions": positions}
