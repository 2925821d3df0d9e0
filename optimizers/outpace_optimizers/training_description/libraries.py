"""Scripts that leave their loop to a library: transformers' Trainer, and Lightning's."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted

from .printed import HELD_OUT, NUMBER, Metric, direction
from .settings import words_of

_ARGUMENTS = ("TrainingArguments", "SFTConfig")
LENGTHS = ("max_steps", "num_train_epochs", "max_epochs")
"""The first that is given settles how long a run is."""


@dataclass(frozen=True, slots=True)
class Library:
    """`told`: what its trainer is made with, by keyword."""

    name: str
    metric: Metric | None
    loss: str
    told: dict[str, ast.expr]
    parsed: bool
    """Whether its arguments come from the command line."""
    words: tuple[str, ...] = ()
    """That its command needs."""


def library(tree: ast.Module) -> Library | None:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {(dotted(call.func) or "").rpartition(".")[2]: call for call in calls}
    if any(name.endswith(_ARGUMENTS) for name in names) or "HfArgumentParser" in names:
        return _transformers(tree, names)
    steps = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "training_step"]
    if steps and "Trainer" in names:
        return _lightning(calls, names)
    return None


def processes(tree: ast.Module) -> bool:
    """Whether a launcher has to tell the script which of several processes it is."""
    calls = {(dotted(node.func) or "").rpartition(".")[2] for node in ast.walk(tree) if isinstance(node, ast.Call)}
    needed = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
        and (dotted(node.value) or "").endswith("environ")
    }  # fmt: skip
    return (
        "init_process_group" in calls and bool(needed & {"RANK", "LOCAL_RANK", "WORLD_SIZE"}) and "spawn" not in calls
    )


def _keywords(call: ast.Call | None) -> dict[str, ast.expr]:
    return {item.arg: item.value for item in call.keywords if item.arg} if call is not None else {}


def _transformers(tree: ast.Module, names: dict[str, ast.Call]) -> Library:
    made = next((call for name, call in names.items() if name.endswith(_ARGUMENTS)), None)
    told = _keywords(made)
    best = told.get("metric_for_best_model")
    name = str(best.value).removeprefix("eval_") if isinstance(best, ast.Constant) else "loss"
    better = told.get("greater_is_better")
    way = direction(words_of(name))
    if isinstance(better, ast.Constant) and better.value is not None:
        way = "higher" if better.value else "lower"
    metric = Metric(f"eval_{name}", f"{{ regex = '.eval_{name}.: .?{NUMBER}' }}", way)
    flags = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    parsed = "HfArgumentParser" in names
    words = ("--output_dir out", *(f"--{flag}" for flag in ("do_train", "do_eval") if flag in flags)) if parsed else ()
    return Library("transformers' Trainer", metric, f"{{ regex = '.loss.: .?{NUMBER}' }}", told, parsed, words)


def _lightning(calls: list[ast.Call], names: dict[str, ast.Call]) -> Library:
    told = _keywords(names["Trainer"])
    logged = [
        str(call.args[0].value)
        for call in calls
        if dotted(call.func) == "self.log" and call.args and isinstance(call.args[0], ast.Constant)
    ]
    held = next((name for name in logged if words_of(name) & HELD_OUT), None)
    logger = names.get("TensorBoardLogger")
    folder = (
        next((arg.value for arg in logger.args if isinstance(arg, ast.Constant)), "lightning_logs") if logger else ""
    )
    if held is None or not logger:
        return Library("Lightning", None, "", told, parsed=False)
    table = f'{{ tensorboard = "{held}", file = "{folder}" }}'
    return Library("Lightning", Metric(held, table, direction(words_of(held))), "", told, parsed=False)
