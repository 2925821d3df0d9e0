"""Epochs over rows that are made one at a time."""

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __init__(self, split, count):
        drawn = torch.Generator().manual_seed({"train": 1, "val": 2}[split])
        start = torch.randint(17, (count, 1), generator=drawn)
        step = torch.randint(1, 4, (count, 1), generator=drawn)
        self.rows = (start + step * torch.arange(12)) % 17

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return {"x": self.rows[index] / 17, "y": self.rows[index].sum() % 2}


def main():
    torch.manual_seed(0)
    model = torch.nn.Linear(12, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(
        Rows("train", 128),
        batch_size=16,
        shuffle=True,
    )
    held_out = DataLoader(Rows("val", 32), batch_size=32)
    for epoch in range(2):
        for batch in loader:
            loss = F.cross_entropy(model(batch["x"]), batch["y"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            wrong = sum((model(batch["x"]).argmax(1) != batch["y"]).sum().item() for batch in held_out)
        print(f"epoch {epoch}: loss {loss.item():.6f}, {wrong} wrong")
    torch.save(model.state_dict(), "model.pt")


if __name__ == "__main__":
    main()
