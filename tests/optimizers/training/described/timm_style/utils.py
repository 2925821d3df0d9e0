import random

import torch


class AverageMeter:
    def __init__(self):
        self.val = self.avg = self.sum = self.count = 0

    def update(self, val, n=1):
        self.val = val
        self.sum += val * n
        self.count += n
        self.avg = self.sum / self.count


def accuracy(output, target):
    return 100.0 * (output.argmax(1) == target).float().mean().item()


def random_seed(seed=42, rank=0):
    torch.manual_seed(seed + rank)
    random.seed(seed + rank)
