"""A small convolutional net fed by a DataLoader that augments in Python. Prints the time of its last steps."""

from __future__ import annotations

import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    def __init__(self, count: int, size: int) -> None:
        self.pictures = torch.randint(0, 255, (count, 3, size, size), dtype=torch.uint8)
        self.labels = torch.randint(0, 10, (count,))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return augment(self.pictures[index]), int(self.labels[index])


def augment(picture: torch.Tensor) -> torch.Tensor:
    picture = picture.float() / 255
    if torch.rand(()) < 0.5:
        picture = picture.flip(-1)
    picture = F.pad(picture[None], (4, 4, 4, 4), mode="reflect")[0]
    top, left = (int(torch.randint(0, 8, ())) for _ in range(2))
    return picture[:, top : top + picture.shape[1] - 8, left : left + picture.shape[2] - 8]


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv_2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm_1, self.norm_2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.norm_1(self.conv_1(x)))
        return F.relu(x + self.norm_2(self.conv_2(y)))


class SmallNet(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.Sequential(ResidualBlock(channels), ResidualBlock(channels))
        self.head = nn.Linear(channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(F.max_pool2d(self.stem(x), 2))
        return self.head(x.mean((2, 3)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--pin", action="store_true")
    sizes = {"channels": 16, "size": 32, "batch": 32, "steps": 40}
    for name, value in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    torch.manual_seed(0)
    pictures = Pictures(args.batch * args.steps, args.size)
    loader = DataLoader(pictures, args.batch, shuffle=True, num_workers=args.workers, pin_memory=args.pin)
    model = SmallNet(args.channels).to(args.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    times: list[float] = []
    running = 0.0
    began = time.perf_counter()
    for x, y in loader:
        x, y = x.to(args.device, non_blocking=args.pin), y.to(args.device, non_blocking=args.pin)
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
    kept = sorted(times[len(times) // 4 :])
    print(f"loss {running / args.steps:.4f}, median step {1e3 * kept[len(kept) // 2]:.3f} ms")


if __name__ == "__main__":
    main()
