"""Makes tokens that were seen less likely: divides positive scores by the penalty and multiplies negative ones."""

import torch


def repetition_penalty(logits, tokens, penalty):
    rows = []
    for row in range(logits.shape[0]):
        scores = logits[row].clone()
        seen = torch.unique(tokens[row])
        there = scores[seen]
        scores[seen] = torch.where(there < 0, there * penalty, there / penalty)
        rows.append(scores)
    return torch.stack(rows)


def get_inputs():
    return [torch.randn(8, 4096), torch.randint(0, 4096, (8, 64)), 1.2]
