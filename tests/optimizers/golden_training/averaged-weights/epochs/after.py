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


class AveragedWeights:
    """Within `with AveragedWeights(model):` the model has the mean of its weights over about the last tenth
    of the steps so far. Training goes on from the weights that it had.
    """

    REACH = 8  # a step's share of the mean is (REACH + 1) / (steps + REACH): the mean is as short in a short run
    steps, means = 0, {}

    def __init__(self, model):
        self.model = model

    @staticmethod
    def tensors(model):
        """All that is trained, and what batches are normalised by when a model is evaluated."""
        yield from (p for p in model.parameters() if p.requires_grad)
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
                yield from (module.running_mean, module.running_var)

    @classmethod
    @torch.no_grad()
    def update(cls, model):
        """After a step of the optimizer. Weights of fewer bits have their mean in 32."""
        cls.steps += 1
        means, values = [], []
        for tensor in cls.tensors(model):
            value = tensor.detach()
            value = value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
            if tensor not in cls.means:
                cls.means[tensor] = value.clone()
            means.append(cls.means[tensor])
            values.append(value)
        torch._foreach_lerp_(means, values, (cls.REACH + 1) / (cls.steps + cls.REACH))

    def __enter__(self):
        self.own = [(tensor, tensor.data) for tensor in self.tensors(self.model) if tensor in self.means]
        for tensor, data in self.own:
            tensor.data = self.means[tensor].to(data.dtype)

    def __exit__(self, *error):
        for tensor, data in self.own:
            tensor.data = data


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
        AveragedWeights.update(net)
        total_loss += loss.item() * data.size(0)
        correct += (output.argmax(1) == target).sum().item()
        seen += len(data)
        if batch_idx % args.log_interval == 0:
            print(f"epoch {epoch} batch {batch_idx}: loss {loss.item():.6f}")
    print("epoch {}: loss {:.6f}, {} of {} right".format(epoch, total_loss / seen, correct, seen))


def test(net, device, loader):
    net.eval()
    wrong = 0
    with AveragedWeights(net):
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
    with AveragedWeights(model):
        torch.save(model.state_dict(), "net.pt")


if __name__ == "__main__":
    main()
