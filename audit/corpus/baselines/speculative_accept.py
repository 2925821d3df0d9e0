"""How many drafted tokens the large model accepts, and the token that follows them, drawn with given random numbers."""

import torch


def speculative_accept(draft, target, tokens, chances, last_chance):
    batch, drafted = tokens.shape
    counts, following = [], []
    for b in range(batch):
        count = 0
        while count < drafted:
            token = tokens[b, count]
            if chances[b, count] * draft[b, count, token] >= target[b, count, token]:
                break
            count += 1
        probs = target[b, count]
        if count < drafted:
            left = (probs - draft[b, count]).clamp(min=0)
            if left.sum() > 0:
                probs = left
        summed = probs.cumsum(dim=0)
        token = torch.searchsorted(summed, last_chance[b] * summed[-1], right=True)
        counts.append(count)
        following.append(int(token.clamp(max=probs.shape[0] - 1)))
    return torch.tensor(counts, device=tokens.device), torch.tensor(following, device=tokens.device)


def get_inputs():
    draft = torch.softmax(2 * torch.randn(16, 8, 1000), dim=-1)
    near = draft.log() + 1.5 * torch.randn(16, 8, 1000)
    target = torch.softmax(torch.cat([near, 2 * torch.randn(16, 1, 1000)], dim=1), dim=-1)
    tokens = torch.multinomial(draft.flatten(0, 1), 1).view(16, 8)
    return [draft, target, tokens, torch.rand(16, 8), torch.rand(16)]
