"""A tiny language model of the script's own, trained by the Trainer of transformers."""

import argparse

import torch
import torch.nn as nn
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments


class Rows(Dataset):
    def __init__(self, split, count):
        drawn = torch.Generator().manual_seed({"train": 1, "val": 2}[split])
        start = torch.randint(17, (count, 1), generator=drawn)
        step = torch.randint(1, 4, (count, 1), generator=drawn)
        self.rows = (start + step * torch.arange(12)) % 17

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return {"input_ids": self.rows[index], "labels": self.rows[index]}


class Net(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.embed = nn.Embedding(17, width)
        self.body = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, 17)

    def forward(self, input_ids, labels=None):
        logits = self.head(self.body(self.embed(input_ids))[0])
        loss = None
        if labels is not None:
            loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return {"loss": loss, "logits": logits}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    training_args = TrainingArguments(
        output_dir="out",
        max_steps=args.max_steps,
        per_device_train_batch_size=16,
        learning_rate=3e-3,
        lr_scheduler_type="constant",
        eval_strategy="steps",
        eval_steps=10,
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        seed=args.seed,
    )
    trainer = Trainer(model=Net(), args=training_args, train_dataset=Rows("train", 512), eval_dataset=Rows("val", 64))
    trainer.train()
    print(trainer.evaluate())


if __name__ == "__main__":
    main()
