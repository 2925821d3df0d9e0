"""fused-optimizer: `fused=True` for Adam, AdamW and SGD, where a step is one kernel over all parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source

from .fitting import DoesNotApply, first_line, unindented
from .scopes import Scope, scopes
from .trainer_sites import TRAINER_ARGUMENTS

FUSED = frozenset({"torch.optim.Adam", "torch.optim.AdamW", "torch.optim.SGD"})
_CHOSEN = frozenset({"fused", "foreach", "capturable", "differentiable"})
"""Keywords that choose another implementation, or rule the fused one out."""
_PLAIN = frozenset({"adamw_torch", "adamw_hf"})
"""What AdamW is called in a Trainer's arguments, where it is not fused."""


class FusedOptimizerRule:
    id = "fused-optimizer"
    title = "Step the optimizer in one fused kernel"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/fused-optimizer.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        made = [(scope, call) for scope in scopes(source) for call in scope.calls() if _named(scope, call)]
        if not made:
            raise DoesNotApply("it makes no Adam, AdamW or SGD of torch.optim by its name")
        if sparse := _sparse(source):
            raise DoesNotApply(f"line {sparse} asks for sparse gradients, which no fused optimizer takes")
        edit = Edit()
        reasons = [reason for scope, call in made if (reason := _edited(source, scope, call, edit))]
        if not edit.expressions:
            raise DoesNotApply("; ".join(dict.fromkeys(reasons)))
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"the call at line {made[0][1].lineno} can't be edited faithfully")
        names = ", ".join(dict.fromkeys(ast.unparse(call.func) for _, call in made))
        yield Idea(
            self.id,
            f"step {names} in one fused kernel",
            "a step over many parameters costs many small kernels, or on the CPU many small loops; a fused one few",
            self.claimed_class,
            patch,
        )


def _named(scope: Scope, call: ast.Call) -> bool:
    name = scope.names.resolve(call.func) or ""
    return name in FUSED or name in TRAINER_ARGUMENTS


def _sparse(source: Source) -> int | None:
    keywords = (node for node in ast.walk(source.tree) if isinstance(node, ast.keyword) and node.arg == "sparse")
    return first_line(one for one in keywords if isinstance(one.value, ast.Constant) and one.value.value is True)


def _edited(source: Source, scope: Scope, call: ast.Call, edit: Edit) -> str:
    """Edits the call; or else says why it stays as it is."""
    keywords = {item.arg: item.value for item in call.keywords}
    if None in keywords:
        return f"line {call.lineno} takes arguments from a dictionary, which may say so already"
    if (scope.names.resolve(call.func) or "") in TRAINER_ARGUMENTS:
        value = keywords.get("optim")
        if not isinstance(value, ast.Constant) or value.value not in _PLAIN:
            return f"line {call.lineno} names no optim that is AdamW and not fused"
        edit.expression(source, value, '"adamw_torch_fused"')
        return ""
    if chosen := sorted(_CHOSEN & keywords.keys()):
        return f"line {call.lineno} says {chosen[0]} already"
    edit.expression(source, call, unindented(source, call, "fused", "True"))
    return ""


RULE = FusedOptimizerRule()

__all__ = ["RULE", "FusedOptimizerRule"]
