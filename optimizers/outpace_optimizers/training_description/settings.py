"""Numbers that a script lets itself be told: by a flag, a variable of the environment, or a name of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.source import module_level

_TRAINER = {"max_steps": -1, "num_train_epochs": 3.0, "seed": 42}
"""What transformers' parser makes flags of, as far as it matters here, with what they are else."""


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` is what the script calls it. Without `flag` and `variable` it is written into the script."""

    name: str
    default: float | None
    flag: str = ""
    variable: str = ""
    required: bool = False
    by_place: bool = False
    """An argument without a flag, which only the command itself can give."""

    @property
    def words(self) -> frozenset[str]:
        return words_of(f"{self.name} {self.flag}")

    def given(self) -> str:
        """As a table of the description names it; empty where it can't be told."""
        return f'flag = "{self.flag}"' if self.flag else f'environment = "{self.variable}"' if self.variable else ""


def words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+|\d+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower().replace("_", " ")))


def settings(tree: ast.Module, folder_files: dict[str, str]) -> list[Setting]:
    """Those that can be told first. `folder_files`: texts of Python files beside the script, by their names."""
    found = [*_flags(tree), *_variables(tree), *_parsed_by_transformers(tree), *_overwritten(tree, folder_files)]
    told = {one.name for one in found}
    for others in (_of_fields(tree), _written(tree)):
        found += [one for one in others if one.name not in told]
        told |= {one.name for one in found}
    return found


def _of_fields(tree: ast.Module) -> Iterator[Setting]:
    """Fields of classes, where each is made a flag: `add_argument(f"--{name}")` in a loop over them, or by tyro."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    looped = [
        call.args[0]
        for call in calls
        if (dotted(call.func) or "").endswith("add_argument") and call.args and isinstance(call.args[0], ast.JoinedStr)
    ]
    flags = any(isinstance(one.values[0], ast.Constant) and one.values[0].value == "--" for one in looped)
    if flags or any(dotted(call.func) == "tyro.cli" for call in calls):
        fields = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for name, number in (found for one in fields for statement in one.body for found in _assigned(statement)):
            yield Setting(name, number, f"--{name}")


def _number(node: ast.AST | None) -> float | None:
    """Of a literal, also within `int(...)`, or as a text."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _flags(tree: ast.Module) -> Iterator[Setting]:
    """`add_argument` of argparse, `option` of click."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if (dotted(call.func) or "").rpartition(".")[2] not in ("add_argument", "option"):
            continue
        texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        flags = sorted((text for text in texts if text.startswith("--")), key=len)
        keywords = {item.arg: item.value for item in call.keywords}
        if texts and not texts[0].startswith("-") and not {"nargs", "default"} & keywords.keys():
            yield Setting(texts[0], None, required=True, by_place=True)
        required = keywords.get("required")
        if flags:
            given = keywords.get("dest")
            name = str(given.value) if isinstance(given, ast.Constant) else flags[-1][2:].replace("-", "_")
            must = isinstance(required, ast.Constant) and required.value is True
            yield Setting(name, _number(keywords.get("default")), flags[-1], required=must)


def _variables(tree: ast.Module) -> Iterator[Setting]:
    """By the name that they get; where they get none, by their own."""
    named = {
        one: node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        for one in ast.walk(node.value)
    }
    for call in (one for one in ast.walk(tree) if isinstance(one, (ast.Call, ast.Subscript))):
        of = dotted(call.func if isinstance(call, ast.Call) else call.value) or ""
        if of.endswith(("environ.get", "getenv", "environ")) and (not isinstance(call, ast.Call) or call.args):
            first = call.args[0] if isinstance(call, ast.Call) else call.slice
            default = _number(call.args[1]) if isinstance(call, ast.Call) and len(call.args) > 1 else None
            if isinstance(first, ast.Constant):
                yield Setting(named.get(call, str(first.value)), default, variable=str(first.value))


def _parsed_by_transformers(tree: ast.Module) -> Iterator[Setting]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if any((dotted(call.func) or "").endswith("HfArgumentParser") for call in calls):
        yield from (Setting(name, default, f"--{name}") for name, default in _TRAINER.items())


def _overwritten(tree: ast.Module, files: dict[str, str]) -> Iterator[Setting]:
    """Names above an `exec` of a file that goes through the command line: `--name=value`, as nanoGPT has it."""
    numbers: list[Setting] = []
    for statement in module_level(tree.body):
        numbers += [Setting(name, number, f"--{name}=") for name, number in _assigned(statement)]
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            text = ast.unparse(statement.value)
            read = [files[name] for name in files if name in text]
            if dotted(statement.value.func) == "exec" and any("sys.argv" in one for one in read):
                yield from numbers
                return


def _written(tree: ast.Module) -> Iterator[Setting]:
    """Top-level numbers, and fields of classes with a default."""
    bodies = [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    for statement in (one for body in bodies for one in body):
        yield from (Setting(name, number) for name, number in _assigned(statement))


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, float]]:
    """Names and their numbers, also several at once."""
    if isinstance(statement, ast.AnnAssign):
        pairs: list[tuple[ast.expr, ast.expr | None]] = [(statement.target, statement.value)]
    elif isinstance(statement, ast.Assign):
        target, value = statement.targets[0], statement.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
    else:
        return
    for target, value in pairs:
        if isinstance(target, ast.Name) and (number := _number(value)) is not None:
            yield target.id, number
