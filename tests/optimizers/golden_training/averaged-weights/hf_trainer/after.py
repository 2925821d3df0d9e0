"""A tiny language model of the script's own, trained by the Trainer of transformers."""

import argparse

import torch
import torch.nn as nn
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments
from transformers import TrainerCallback


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


class AveragedWeights(TrainerCallback):
    """Where the Trainer evaluates or saves, and when it has ended, the model has the mean of its weights over about
    the last tenth of the steps so far. Training goes on from the weights that it had.
    """

    REACH = 8  # a step's share of the mean is (REACH + 1) / (steps + REACH): the mean is as short in a short run

    def __init__(self):
        self.steps, self.means, self.own = 0, {}, []

    @staticmethod
    def tensors(model):
        """All that is trained, and what batches are normalised by when a model is evaluated."""
        yield from (p for p in model.parameters() if p.requires_grad)
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
                yield from (module.running_mean, module.running_var)

    def on_step_begin(self, args, state, control, **kwargs):
        for tensor, data in self.own:
            tensor.data = data
        self.own = []

    @torch.no_grad()
    def on_step_end(self, args, state, control, model=None, **kwargs):
        """Weights of fewer bits have their mean in 32."""
        self.steps += 1
        for tensor in self.tensors(model):
            value = tensor.detach()
            value = value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
            if tensor not in self.means:
                self.means[tensor] = value.clone()
            self.means[tensor].lerp_(value, (self.REACH + 1) / (self.steps + self.REACH))
        self.on_epoch_end(args, state, control, model)

    def on_epoch_end(self, args, state, control, model=None, **kwargs):
        if control.should_evaluate or control.should_save:
            self.show(model)

    def on_train_end(self, args, state, control, model=None, **kwargs):
        if not args.load_best_model_at_end:
            self.show(model)

    def show(self, model):
        if not self.own:
            self.own = [(tensor, tensor.data) for tensor in self.tensors(model) if tensor in self.means]
            for tensor, data in self.own:
                tensor.data = self.means[tensor].to(data.dtype, copy=True)


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
    trainer = Trainer(model=Net(), args=training_args, train_dataset=Rows("train", 512), eval_dataset=Rows("val", 64), callbacks=[AveragedWeights()])
    trainer.train()
    print(trainer.evaluate())


if __name__ == "__main__":
    main()
