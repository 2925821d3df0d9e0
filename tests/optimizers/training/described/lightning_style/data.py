import lightning as L
import torch
from torch.utils.data import DataLoader, TensorDataset


class TextData(L.LightningDataModule):
    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def _loader(self, split):
        tokens = torch.load(f"{self.folder}/{split}.pt")
        return DataLoader(TensorDataset(tokens[:, :-1], tokens[:, 1:]), batch_size=32)

    def train_dataloader(self):
        return self._loader("train")

    def val_dataloader(self):
        return self._loader("val")
