"""Image classification: `python train.py --data-dir data --epochs 20`."""

import argparse
import logging
from collections import OrderedDict

import torch
import torch.nn as nn
from torch.utils.data import DataLoader

from dataset import make_dataset
from utils import AverageMeter, accuracy, random_seed

_logger = logging.getLogger("train")

parser = argparse.ArgumentParser(description="Training")
group = parser.add_argument_group("Dataset parameters")
group.add_argument("--data-dir", metavar="DIR", default="data", help="path to dataset")
group = parser.add_argument_group("Optimizer parameters")
group.add_argument("--lr", type=float, default=0.05)
group.add_argument("-b", "--batch-size", type=int, default=128)
group = parser.add_argument_group("Schedule")
group.add_argument("--epochs", type=int, default=20, metavar="N")
group.add_argument("--start-epoch", type=int, default=None)
group.add_argument("--seed", type=int, default=42, metavar="S")
group.add_argument("--log-interval", type=int, default=50)


def main():
    logging.basicConfig(level=logging.INFO)
    args = parser.parse_args()
    random_seed(args.seed, 0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    loader_train = DataLoader(make_dataset(args.data_dir, "train"), batch_size=args.batch_size, shuffle=True)
    loader_eval = DataLoader(make_dataset(args.data_dir, "validation"), batch_size=args.batch_size)
    loss_fn = nn.CrossEntropyLoss()
    start_epoch = args.start_epoch or 0
    best_metric = None
    for epoch in range(start_epoch, args.epochs):
        train_one_epoch(epoch, model, loader_train, optimizer, loss_fn, args)
        eval_metrics = validate(model, loader_eval, loss_fn, args)
        best_metric = max(best_metric or 0, eval_metrics["top1"])
        _logger.info(f"Epoch {epoch}: eval_top1 {eval_metrics['top1']:.3f} eval_loss {eval_metrics['loss']:.4f}")
    _logger.info("*** Best metric: {0}".format(best_metric))


def train_one_epoch(epoch, model, loader, optimizer, loss_fn, args):
    model.train()
    losses_m = AverageMeter()
    for batch_idx, (input, target) in enumerate(loader):
        loss = loss_fn(model(input), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses_m.update(loss.item(), input.size(0))
        if batch_idx % args.log_interval == 0:
            _logger.info(
                "Train: {} [{:>4d}/{}]  Loss: {loss.val:#.4g} ({loss.avg:#.3g})".format(
                    epoch, batch_idx, len(loader), loss=losses_m
                )
            )


def validate(model, loader, loss_fn, args):
    losses_m, top1_m = AverageMeter(), AverageMeter()
    model.eval()
    with torch.no_grad():
        for input, target in loader:
            output = model(input)
            losses_m.update(loss_fn(output, target).item(), input.size(0))
            top1_m.update(accuracy(output, target), input.size(0))
    return OrderedDict([("loss", losses_m.avg), ("top1", top1_m.avg)])


if __name__ == "__main__":
    main()
