"""What the rule `muon-matrices` puts into a script."""

from __future__ import annotations

from string import Template

_OPTIMIZER = Template('''\
class $name(torch.optim.$base):
    """$base, but weight matrices of a model's repeated blocks are stepped by Muon: along their momentum with all of its
    singular values near 1. A schedule that changes a group's rate, relative to the one that the optimizer was made
    with, changes Muon's alike.
    """

    RATE = 0.02  # length of a step in each direction
    MOMENTUM = 0.95
    SMALLEST = 16  # narrower matrices are gates and the like

    def __init__(self, params, *args, model, **kwargs):
        groups = list(params)
        groups = groups if groups and isinstance(groups[0], dict) else [{"params": groups}]
        matrices, kept = self.matrices(model), []
        for group in groups:
            every = [group["params"]] if isinstance(group["params"], torch.Tensor) else list(group["params"])
            for muon in (False, True):
                own = [p for p in every if (id(p) in matrices) == muon]
                if own:
                    kept.append({**group, "params": own, "muon": muon})
        if not any(group["muon"] for group in kept):
            raise ValueError("the model has no weight matrices in blocks that it repeats: Muon has nothing to step")
        super().__init__(kept, *args, **kwargs)
        self._step_supports_amp_scaling = False  # a gradient scaler unscales for all alike

    @classmethod
    def matrices(cls, model):
        """Ids of what is 2-D in modules of one type of which a list or a sequence holds several, embeddings aside."""
        found, embeddings = {}, set()
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                embeddings.add(id(module.weight))
            if not isinstance(module, (torch.nn.ModuleList, torch.nn.Sequential)):
                continue
            types = [type(child) for child in module if next(child.children(), None) is not None]
            for child in module:
                if types.count(type(child)) > 1:
                    found.update((id(p), p) for p in child.parameters() if p.ndim == 2)
        return {key for key, p in found.items() if min(p.shape) >= cls.SMALLEST and key not in embeddings}

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        grads = []
        for group in self.param_groups:
            for p in group["params"] if group["muon"] else ():
                if p.grad is not None:
                    grads.append((p, p.grad))
                    self._step_matrix(p, group)
                    p.grad = None
        super().step()
        for p, grad in grads:
            p.grad = grad
        return loss

    def _step_matrix(self, p, group):
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"], state["step"] = torch.zeros_like(p), torch.zeros(())  # checkpoints of $base have steps
        momentum = state["momentum"].lerp_(p.grad, 1 - self.MOMENTUM)
        update = p.grad.lerp(momentum, self.MOMENTUM)
        stacked = 3 if p.size(0) == 3 * p.size(1) else 1  # queries, keys and values in one
        update = torch.cat([self.orthogonal(part) for part in update.chunk(stacked)])
        tall = max(1.0, p.size(0) / stacked / p.size(1)) ** 0.5
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.sub_(update * (group["lr"] / self.defaults["lr"] * self.RATE * tall))

    @staticmethod
    def orthogonal(update):
        """Nearly U V^T for U S V^T, by five steps of an odd polynomial that drives singular values towards 1."""
        x = update.bfloat16() if update.is_cuda else update.float()
        tall = x.size(0) > x.size(1)
        x = x.mT if tall else x
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            square = x @ x.mT
            x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
        return (x.mT if tall else x).to(update.dtype)
''')


def definition(name: str, base: str) -> str:
    """It needs `import torch`; `base` is Adam or AdamW."""
    return _OPTIMIZER.substitute(name=name, base=base)
