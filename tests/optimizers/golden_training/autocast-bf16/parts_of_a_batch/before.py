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
for step in range(8):
    for part in text.chunk(2):
        scores = network(part[:, :-1])
        loss = F.cross_entropy(scores.flatten(0, 1), part[:, 1:].flatten()) / 2
        loss.backward()
    smooth = 0.9 * smooth + 0.1 * loss.item()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    if step % 4 == 3:
        print(f"{step} {smooth:.6f}")
