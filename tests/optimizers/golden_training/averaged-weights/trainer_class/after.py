"""A trainer class of one's own, in the style of Hugging Face's."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import AdamW
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Arguments:
    learning_rate: float = 1e-2
    epochs: int = 2
    logging_steps: int = 5
    seed: int = 1


class Classifier(nn.Module):
    def __init__(self, width=32, labels=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, width), nn.Tanh(), nn.Linear(width, labels))
        self.loss = nn.CrossEntropyLoss()

    def forward(self, inputs, labels=None):
        logits = self.body(inputs)
        return {"logits": logits, "loss": None if labels is None else self.loss(logits, labels)}


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


class Trainer:
    def __init__(self, model, args, dataset):
        self.args = args
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device)
        self.dataset = dataset
        self.optimizer = AdamW(self.model.parameters(), lr=args.learning_rate)

    def training_step(self, inputs, labels):
        self.model.train()
        outputs = self.model(inputs.to(self.device), labels=labels.to(self.device))
        loss = outputs["loss"]
        loss.backward()
        self.optimizer.step()
        AveragedWeights.update(self.model)
        self.optimizer.zero_grad()
        return loss.item()

    def train(self):
        step, running, history = 0, 0.0, []
        for epoch in range(self.args.epochs):
            for inputs, labels in DataLoader(self.dataset, batch_size=16, shuffle=True):
                loss = self.training_step(inputs, labels)
                running += loss
                history.append(loss)
                step += 1
                if step % self.args.logging_steps == 0:
                    print({"loss": round(running / self.args.logging_steps, 6), "step": step, "epoch": epoch})
                    running = 0.0
        print(f"mean of all steps: {sum(history) / len(history):.6f}")

    def save(self, path):
        with AveragedWeights(self.model):
            torch.save(self.model.state_dict(), path)


def main():
    args = Arguments()
    torch.manual_seed(args.seed)
    labels = torch.arange(96) % 3
    dataset = TensorDataset(torch.randn(96, 8) + labels.view(-1, 1), labels)
    trainer = Trainer(Classifier(), args, dataset)
    trainer.train()
    trainer.save("model.pt")


if __name__ == "__main__":
    main()
