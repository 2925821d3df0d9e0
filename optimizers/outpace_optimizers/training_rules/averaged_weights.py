"""averaged-weights: a mean of the last steps' weights wherever a model is evaluated or saved."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.names import dotted, imported
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source, module_level

from .average_text import definition
from .averaged_trainer import trainer_patch
from .evaluation_sites import Site, evaluation_sites
from .fitting import DoesNotApply, after
from .optimizer_sites import makes, own_optimizers
from .scopes import Scope, scopes
from .step_ends import optimizer_steps, spelled, stepped
from .step_sites import Step, modules, the_step

_AVERAGES = re.compile(r"(^|_)(ema|swa)(_|$)|averaged?_?(model|weights)|shadow_param", re.IGNORECASE)
_OTHERS = frozenset(
    {"FullyShardedDataParallel", "fully_shard", "FSDP", "DTensor", "CUDAGraph", "make_graphed_callables"}
)
"""Where a parameter is no whole tensor, or has to stay where it is."""

_WHY = "steps of a rate that is not near zero wander around a better place, which their mean is nearer to"


class AveragedWeightsRule:
    id = "averaged-weights"
    title = "Evaluate the mean of the last steps' weights"
    claimed_class: NumericsClass = "statistical"
    page = "docs/rules/averaged-weights.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        _require_none(source)
        if (patch := trainer_patch(source)) is not None:
            text = "have the Trainer evaluate and save the mean of its model's weights over the last steps"
            yield Idea(self.id, text, _WHY, self.claimed_class, patch)
            return
        if imported(list(module_level(source.tree.body))).get("torch") != "torch":
            raise DoesNotApply("it does not import torch by its own name")
        every = scopes(source)
        step = the_step(source, every)
        ends = optimizer_steps(step)
        _require_one(source, step)
        sites = evaluation_sites(source, every, step, max(call.end_lineno or call.lineno for call in ends))
        if not sites:
            raise DoesNotApply(f"no evaluation of {step.model}, and no checkpoint of it, is seen")
        if again := _loaded_again(source, step):
            raise DoesNotApply(f"line {again} gives the model other weights after its training")
        name = step.scope.names.fresh("AveragedWeights")
        edit = Edit(definitions={name: definition(name)})
        for site in sites:
            edit.wrap(source, site.statement, site.statement, f"with {name}({site.model}):")
        _update(
            source, step, stepped(step.scope, ends[-1], step.backward), f"{name}.update({spelled(step)})", edit, sites
        )
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"the evaluation at line {sites[0].statement.lineno} can't be edited faithfully")
        yield Idea(
            self.id,
            f"evaluate and save the mean of {step.model}'s weights over the last steps",
            _WHY,
            self.claimed_class,
            patch,
        )


def _require_none(source: Source) -> None:
    attributes = {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    names = source.words | attributes | source.definitions.keys()
    if averages := sorted(name for name in names if _AVERAGES.search(name)):
        raise DoesNotApply(f"{averages[0]} averages weights already")
    if others := _OTHERS & names:
        raise DoesNotApply(f"{min(others)} has parameters that can't be exchanged")


def _require_one(source: Source, step: Step) -> None:
    """Models that were trained together belong together: the mean of one fits no weights of another."""
    own = own_optimizers(source)
    models = {
        root
        for scope in scopes(source)
        for call in scope.calls()
        if scope.node is step.scope.node and makes(scope.names, call, own)
        for root in _given(call)
    }
    if len(models) > 1:
        raise DoesNotApply(f"it trains several models beside each other: {', '.join(sorted(models))}")


def _given(call: ast.Call) -> Iterator[str]:
    """`model` in `AdamW(model.head.parameters())`, `self.model` in `AdamW(self.model.parameters())`."""
    for node in ast.walk(call):
        name = dotted(node.func) if isinstance(node, ast.Call) else None
        if name is not None and name.endswith(".parameters"):
            parts = name.split(".")[:-1]
            yield ".".join(parts[: 2 if parts[0] == "self" else 1])


def _loaded_again(source: Source, step: Step) -> int | None:
    """Such as the best checkpoint so far."""
    known, scope = modules(source), step.scope
    for call in scope.calls():
        receiver, _, method = (dotted(call.func) or "").rpartition(".")
        if method == "load_state_dict" and receiver.rpartition(".")[2] in known and call.lineno > step.backward.lineno:
            return call.lineno
    return None


def _update(source: Source, step: Step, node: ast.stmt, text: str, edit: Edit, sites: list[Site]) -> None:
    """Behind the optimizer's step. What is put before a wrapped statement would be wrapped, too."""
    scope: Scope = step.scope
    block = scope.block(node)
    following = block[block.index(node) + 1 :][:1]
    if following and any(site.statement is following[0] for site in sites):
        if isinstance(node, (ast.For, ast.While)):
            raise DoesNotApply(f"line {following[0].lineno} evaluates right behind a loop over optimizers")
        edit.replace(source, node, [source.segment(node), text])
    else:
        after(source, edit, block, node, text)


RULE = AveragedWeightsRule()

__all__ = ["RULE", "AveragedWeightsRule"]
