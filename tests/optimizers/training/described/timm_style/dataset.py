import torch
from torch.utils.data import TensorDataset


def make_dataset(folder, split):
    found = torch.load(f"{folder}/{split}.pt")
    return TensorDataset(found["images"], found["labels"])
