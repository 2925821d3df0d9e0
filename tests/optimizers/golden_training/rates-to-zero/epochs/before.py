"""A small network on made-up images: an epoch at a time, with the mean loss and the accuracy of each."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.fc1 = nn.Linear(8 * 9, 32)
        self.fc2 = nn.Linear(32, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def train(args, net, device, loader, opt, epoch):
    net.train()
    criterion = nn.CrossEntropyLoss()
    total_loss, correct, seen = 0.0, 0, 0
    for batch_idx, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        opt.zero_grad()
        output = net(data)
        loss = criterion(output, target)
        loss.backward()
        opt.step()
        total_loss += loss.item() * data.size(0)
        correct += (output.argmax(1) == target).sum().item()
        seen += len(data)
        if batch_idx % args.log_interval == 0:
            print(f"epoch {epoch} batch {batch_idx}: loss {loss.item():.6f}")
    print("epoch {}: loss {:.6f}, {} of {} right".format(epoch, total_loss / seen, correct, seen))


def test(net, device, loader):
    net.eval()
    wrong = 0
    with torch.no_grad():
        for data, target in loader:
            wrong += (net(data.to(device)).argmax(1) != target.to(device)).sum().item()
    print(f"wrong: {wrong}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-interval", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    target = torch.arange(128) % 4
    images = torch.randn(128, 1, 8, 8) + target.view(-1, 1, 1, 1) / 2
    loader = DataLoader(TensorDataset(images, target), batch_size=16, shuffle=True)

    model = Net().to(device)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(1, args.epochs + 1):
        train(args, model, device, loader, optimizer, epoch)
        test(model, device, loader)
    torch.save(model.state_dict(), "net.pt")


if __name__ == "__main__":
    main()
