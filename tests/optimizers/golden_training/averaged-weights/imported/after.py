"""The evaluation is in another file, and is handed the model."""

import argparse

import torch
import torch.nn.functional as F
from evaluate import report, score

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=30)
args = parser.parse_args()


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


def main():
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    x = torch.randn(64, 4)
    for step in range(args.steps):
        loss = F.mse_loss(model(x), x[:, :2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        AveragedWeights.update(model)
        with AveragedWeights(model):
            score(model, "train")
    if args.steps:
        with AveragedWeights(model):
            final = score(model, "val")
        print(final)
    report(final)
    with AveragedWeights(model):
        torch.save({"steps": args.steps, "weights": model.state_dict()}, "final.pt")


main()
