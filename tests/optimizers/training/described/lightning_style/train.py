import argparse

import lightning as L
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.loggers import TensorBoardLogger

from data import TextData


class Model(L.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Embedding(64, 32), nn.Linear(32, 64))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self.net(x).flatten(0, 1), y.flatten())
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self.net(x).flatten(0, 1), y.flatten())
        self.log("val_loss", loss, prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", default=1e-3, type=float)
    parser.add_argument("--max_steps", default=500, type=int)
    parser.add_argument("--seed", default=0, type=int)
    args = parser.parse_args()
    L.seed_everything(args.seed, workers=True)
    trainer = L.Trainer(
        max_steps=args.max_steps, val_check_interval=100, logger=TensorBoardLogger("logs"), accelerator="auto"
    )
    trainer.fit(Model(args.lr), datamodule=TextData("data"))


if __name__ == "__main__":
    main()
