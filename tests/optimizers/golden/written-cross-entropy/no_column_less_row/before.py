# target: losses
import torch


def losses(logits, other, labels):
    lse = torch.logsumexp(logits, dim=-1)
    pairs = (lse - logits.gather(-1, labels.unsqueeze(-1))).mean()
    kept = torch.logsumexp(logits, dim=-1, keepdim=True) - logits.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    others = torch.logsumexp(other, dim=-1) - logits.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    largest = torch.logsumexp(logits, dim=0) - logits.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return pairs + kept.mean() + others.mean() + largest.mean()


def get_inputs():
    return [torch.randn(6, 6), torch.randn(6, 6), torch.randint(0, 6, (6,))]
