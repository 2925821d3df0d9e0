"""kept-activations: no second forward pass in the backward one, where memory may suffice to keep what it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass, Patch
from outpace_optimizers.rules.names import dotted
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source

from .fitting import DoesNotApply
from .scopes import scopes
from .trainer_sites import told, trainer_arguments

_ENABLE = "gradient_checkpointing_enable"
_ARGUMENTS = ("gradient_checkpointing", "activation_checkpointing")
"""Of a Trainer: the old name, and that of transformers 6."""


class KeptActivationsRule:
    id = "kept-activations"
    title = "Keep activations instead of computing them twice"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/kept-activations.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        yield Idea(
            self.id,
            "keep what the backward pass needs, and compute nothing twice",
            "checkpointing pays for memory with a second forward pass: about a third of the step",
            self.claimed_class,
            _patch(source),
        )


def _patch(source: Source) -> Patch:
    calls = [(scope, call) for scope in scopes(source) for call in scope.calls() if _enables(call)]
    if calls:
        edit = Edit()
        for scope, call in calls:
            statement = scope.statement(call)
            if not isinstance(statement, ast.Expr) or statement.value is not call:
                raise DoesNotApply(f"line {call.lineno} does more than to enable checkpointing")
            edit.replace(source, statement, [f"{ast.unparse(call.func).removesuffix('_enable')}_disable()"])
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"line {calls[0][1].lineno} can't be edited faithfully")
        return patch
    found = trainer_arguments(source)
    asked = [name for name in _ARGUMENTS if found is not None and found.constant(name) is True]
    if found is None or not asked:
        raise DoesNotApply("it asks for no checkpointing of activations by its name")
    return told(source, found, dict.fromkeys(asked, "False"))


def _enables(call: ast.Call) -> bool:
    return (dotted(call.func) or "").rpartition(".")[2] == _ENABLE


RULE = KeptActivationsRule()

__all__ = ["RULE", "KeptActivationsRule"]
