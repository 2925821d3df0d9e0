import torch
import torch.nn as nn
import torch.nn.functional as F


class Words(nn.Module):
    def __init__(self, vocab, width):
        super().__init__()
        self.embed, self.out = nn.Embedding(vocab, width), nn.Linear(width, vocab)

    def forward(self, ids):
        return self.out(torch.tanh(self.embed(ids)))


torch.manual_seed(0)
network = Words(17, 32)
optimizers = [torch.optim.AdamW(list(network.embed.parameters()) + list(network.out.parameters()), lr=1e-2)]
text = torch.randint(17, (8, 9))
smooth = 0.0


def on_device(value):
    """A copy where the tensor is, as wide as Python's numbers: sums of such are the same to the last digit."""
    wide = torch.float64 if value.is_floating_point() else torch.int64
    return value.detach().to(torch.bool if value.dtype == torch.bool else wide, copy=True)


def on_host(value):
    """The number of such a tensor. Here the device is waited for."""
    return value.item() if isinstance(value, torch.Tensor) else value


for step in range(8):
    for part in text.chunk(2):
        scores = network(part[:, :-1])
        loss = F.cross_entropy(scores.flatten(0, 1), part[:, 1:].flatten()) / 2
        loss.backward()
    smooth = 0.9 * smooth + 0.1 * on_device(loss)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    if step % 4 == 3:
        smooth = on_host(smooth)
        print(f"{step} {smooth:.6f}")
