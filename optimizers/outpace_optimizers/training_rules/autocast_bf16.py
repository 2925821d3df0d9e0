"""autocast-bf16: the forward pass and the loss under autocast, with matrix products in bfloat16."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import dotted, imported
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source, module_level

from .fitting import DoesNotApply, first_line
from .scopes import scopes
from .step_sites import Step, in_one_block, the_step
from .trainer_sites import Arguments, told, trainer_arguments

_PRECISION = frozenset(
    {"autocast", "GradScaler", "bfloat16", "float16", "half", "set_default_dtype", "bf16", "fp16", "Accelerator"}
)
"""Words of scripts that choose their precision themselves."""
_UNSAFE = frozenset({"BCELoss", "binary_cross_entropy"})
"""Of probabilities: autocast refuses it."""
_WHY = "matrix products in bfloat16 run on the tensor cores and move half the bytes; parameters stay as they are"


class AutocastRule:
    id = "autocast-bf16"
    title = "Run the forward pass under autocast in bfloat16"
    claimed_class: NumericsClass = "lossy"
    page = "docs/rules/autocast-bf16.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        if (arguments := trainer_arguments(source)) is not None:
            yield self._of_trainer(source, arguments)
            return
        if imported(list(module_level(source.tree.body))).get("torch") != "torch":
            raise DoesNotApply("it does not import torch by its own name")
        for words, text in ((_PRECISION, "chooses its precision itself"), (_UNSAFE, "is refused under autocast")):
            if (found := _said(source, words)) is not None:
                raise DoesNotApply(f"{found[0]} (line {found[1]}) {text}")
        step = the_step(source, scopes(source))
        if (line := _in_doubles(source, step)) is not None:
            raise DoesNotApply(f"line {line} has the model in float64")
        first, last = in_one_block(step)
        edit = Edit()
        head = f"with torch.autocast(next({_model(step)}.parameters()).device.type, dtype=torch.bfloat16):"
        edit.wrap(source, first, last, head)
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"line {first.lineno} can't be edited faithfully")
        yield Idea(
            self.id, f"run {step.model} and its loss under autocast in bfloat16", _WHY, self.claimed_class, patch
        )

    def _of_trainer(self, source: Source, arguments: Arguments) -> Idea:
        if chosen := arguments.says("bf16", "fp16", "half_precision_backend", "deepspeed", "fsdp"):
            raise DoesNotApply(f"{chosen} (line {arguments.call.lineno}) chooses its precision itself")
        patch = told(source, arguments, {"bf16": "True"})
        return Idea(self.id, "run the model and its loss under autocast in bfloat16", _WHY, self.claimed_class, patch)


def _model(step: Step) -> str:
    """As it is spelled in the step."""
    same = step.at is step.scope or (step.model.startswith("self.") and step.at.owner is step.scope.owner)
    if not same:
        raise DoesNotApply(f"the model is called in a function where line {step.first.lineno} can't name it")
    return step.model


def _in_doubles(source: Source, step: Step) -> int | None:
    last = step.model.rpartition(".")[2]
    calls = (node.func for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    doubled = (one for one in calls if isinstance(one, ast.Attribute) and one.attr == "double")
    return first_line(one for one in doubled if (dotted(one.value) or "").rpartition(".")[2] == last)


def _said(source: Source, words: frozenset[str]) -> tuple[str, int] | None:
    for node in ast.walk(source.tree):
        names = [getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "arg", None)]
        if isinstance(node, ast.alias):
            names.append(node.name.rpartition(".")[2])
        for name in names:
            if name in words:
                return str(name), getattr(node, "lineno", 0)
    return None


RULE = AutocastRule()

__all__ = ["RULE", "AutocastRule"]
