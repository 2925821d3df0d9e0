"""muon-matrices: Muon for the weight matrices of a model's blocks, in the one optimizer that a script makes."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import dotted, imported
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source, module_level

from .fitting import DoesNotApply, first_line, unindented
from .muon_text import definition
from .optimizer_sites import Made, optimizers
from .scopes import names_in, scopes
from .step_sites import is_module

_SHARDED = frozenset({"FullyShardedDataParallel", "fully_shard", "FSDP", "DTensor"})
"""Where a parameter is no whole matrix."""


class MuonMatricesRule:
    id = "muon-matrices"
    title = "Step weight matrices by Muon"
    claimed_class: NumericsClass = "statistical"
    page = "docs/rules/muon-matrices.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        if imported(list(module_level(source.tree.body))).get("torch") != "torch":
            raise DoesNotApply("it does not import torch by its own name")
        made = _the_only(source)
        base = (made.scope.names.resolve(made.call.func) or "").rpartition(".")[2]
        name = made.scope.names.fresh(f"Muon{base}")
        edit = Edit()
        text = unindented(source, made.call, "model", made.model)
        edit.expression(source, made.call, name + text.removeprefix(source.segment(made.call.func)))
        edit.definitions = {name: definition(name, base)}
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"the call at line {made.call.lineno} can't be edited faithfully")
        yield Idea(
            self.id,
            f"step the weight matrices of {made.model}'s blocks by Muon",
            "a step with all singular values alike learns also from directions whose gradients are small",
            self.claimed_class,
            patch,
        )


def _the_only(source: Source) -> Made:
    if any("muon" in word.lower() for word in source.words):
        raise DoesNotApply("it speaks of Muon already")
    if sharded := _SHARDED & source.words:
        raise DoesNotApply(f"{min(sharded)} keeps parts of its matrices apart")
    made = optimizers(source)
    if made is None:
        raise DoesNotApply("an optimizer is made of what is not NAME.parameters() of one model")
    if len(made) != 1 or not made[0].adam:
        number = f"{len(made)} optimizers" if made else "no optimizer"
        raise DoesNotApply(f"it makes {number} of torch.optim by name, and not one Adam or AdamW")
    if made[0].model.startswith("self."):
        raise DoesNotApply(f"{made[0].model} may be a part of a model or the whole")
    keywords = {item.arg for item in made[0].call.keywords}
    if any(isinstance(arg, ast.Starred) for arg in made[0].call.args) or "model" in keywords:
        raise DoesNotApply(f"the call at line {made[0].call.lineno} takes its arguments from elsewhere")
    if not _may_repeat(source):
        raise DoesNotApply("no module of the file repeats blocks, whose matrices Muon would step")
    if closures := first_line(call for call in made[0].scope.calls() if "closure" in names_in(call)):
        raise DoesNotApply(f"line {closures} steps with a closure")
    return made[0]


def _may_repeat(source: Source) -> bool:
    """Whether a model has a list or a sequence of several alike, as far as the file tells: one that it imports may."""
    own = {name for name, one in source.definitions.items() if isinstance(one.node, ast.ClassDef)}
    if not any(is_module(node) for one in source.definitions.values() if isinstance(node := one.node, ast.ClassDef)):
        return True
    every = [(scope.names.resolve(call.func) or "", call) for scope in scopes(source) for call in scope.calls()]
    return any(_of_others(name) or _several(name, call, own) for name, call in every)


def _of_others(name: str) -> bool:
    """A class that is neither torch's nor Python's; or torch's Transformer and its encoders, which hold layers."""
    root, last = name.partition(".")[0], name.rpartition(".")[2]
    torchs = name.startswith("torch.nn.Transformer") and not last.endswith("Layer")
    others = root not in sys.stdlib_module_names | {"", "torch", "numpy"}
    return torchs or (others and (last[:1].isupper() or last == "from_pretrained"))


def _several(name: str, call: ast.Call, own: set[str]) -> bool:
    if name.endswith(".ModuleList"):
        return True
    if not name.endswith(".Sequential"):
        return False
    made = Counter(dotted(arg.func) for arg in call.args if isinstance(arg, ast.Call))
    return any(isinstance(arg, ast.Starred) for arg in call.args) or any(made[one] > 1 for one in own)


RULE = MuonMatricesRule()

__all__ = ["RULE", "MuonMatricesRule"]
