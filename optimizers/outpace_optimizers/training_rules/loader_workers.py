"""loader-workers: batches made by other processes while a step runs, where the training's own process makes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from outpace_audit.records import Idea, NumericsClass, Patch
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source

from .fitting import DoesNotApply, with_keywords
from .scopes import scopes
from .step_sites import the_step
from .trainer_sites import told, trainer_arguments

_LOADER = "torch.utils.data.DataLoader"
_WORDS: Mapping[str, str] = {"num_workers": "2", "persistent_workers": "True"}
"""One to be ahead, and one more where a batch takes as long as a step; workers that end with each epoch start anew."""
_READY = frozenset({"TensorDataset"})
"""What is indexed in less time than a process needs to hand it on."""


class LoaderWorkersRule:
    id = "loader-workers"
    title = "Make batches beside the training step"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/loader-workers.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        yield Idea(
            self.id,
            "make batches in processes of their own",
            "what reads, cuts and stacks the next rows waits for no step, and no step waits for it",
            self.claimed_class,
            _patch(source),
        )


def _patch(source: Source) -> Patch:
    found = trainer_arguments(source)
    if found is not None:
        if chosen := found.says("dataloader_num_workers"):
            raise DoesNotApply(f"line {found.call.lineno} says {chosen} already")
        return told(source, found, {f"dataloader_{name}": value for name, value in _WORDS.items()})
    call = _the_loader(source)
    edit = Edit()
    edit.expression(source, call, with_keywords(source, call, _WORDS))
    patch = make_script_patch(source, edit)
    if patch is None:
        raise DoesNotApply(f"the call at line {call.lineno} can't be edited faithfully")
    return patch


def _the_loader(source: Source) -> ast.Call:
    """The first that is made, which is that of the training; others serve evaluations."""
    every = scopes(source)
    the_step(source, every)
    found = [(scope, call) for scope in every for call in scope.calls() if scope.names.resolve(call.func) == _LOADER]
    if not found:
        raise DoesNotApply("it makes no DataLoader of torch by its name")
    scope, call = min(found, key=lambda one: one[1].lineno)
    keywords = {item.arg or "**" for item in call.keywords}
    if "**" in keywords:
        raise DoesNotApply(f"line {call.lineno} takes arguments from a dictionary, which may say so already")
    if chosen := sorted(keywords & {"num_workers", "persistent_workers", "multiprocessing_context"}):
        raise DoesNotApply(f"line {call.lineno} says {chosen[0]} already")
    if ready := _READY & source.words:
        raise DoesNotApply(f"a {min(ready)} has its rows ready: there is nothing to make of them")
    if scope.loop(call) is not None:
        raise DoesNotApply(f"line {call.lineno} makes a loader in a loop: its workers would start with each")
    return call


RULE = LoaderWorkersRule()

__all__ = ["RULE", "LoaderWorkersRule"]
