"""What the rule `averaged-weights` puts into a script."""

from __future__ import annotations

from string import Template

_CLASS = Template('''\
class $name:
    """Within `with $name(model):` the model has the mean of its weights over about the last tenth
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
''')

_CALLBACK = Template('''\
class $name(TrainerCallback):
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
''')


def definition(name: str) -> str:
    """It needs `import torch`."""
    return _CLASS.substitute(name=name)


def callback(name: str) -> str:
    """Of transformers' Trainer. It needs `import torch` and TrainerCallback."""
    return _CALLBACK.substitute(name=name)
