"""Scripts that leave their training to the Trainer of transformers: what its arguments say, and what they might."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from outpace_audit.records import Patch
from outpace_optimizers.rules.writing import Edit, make_script_patch
from outpace_optimizers.source import Source

from .fitting import DoesNotApply, with_keywords
from .scopes import Scope, scopes

TRAINER_ARGUMENTS = frozenset({
    "transformers.TrainingArguments", "transformers.Seq2SeqTrainingArguments",
    "transformers.training_args.TrainingArguments", "trl.SFTConfig",
})  # fmt: skip
_PARSER = "transformers.HfArgumentParser"


@dataclass(frozen=True, eq=False)
class Arguments:
    """The one call that makes a Trainer's arguments, and what it says by keyword."""

    scope: Scope
    call: ast.Call
    keywords: Mapping[str, ast.expr]

    def says(self, *names: str) -> str | None:
        """The first that is given and is not False or None."""
        given = (name for name in names if name in self.keywords)
        return next((name for name in given if self.constant(name) not in (False, None)), None)

    def constant(self, name: str) -> object:
        """The value of a literal; the node itself, where it is none."""
        node = self.keywords.get(name)
        return node.value if isinstance(node, ast.Constant) else node


def trainer_arguments(source: Source) -> Arguments | None:
    """None where the script trains by itself. Raises DoesNotApply where its arguments can't be edited."""
    found = [
        (scope, call)
        for scope in scopes(source)
        for call in scope.calls()
        if (scope.names.resolve(call.func) or "") in TRAINER_ARGUMENTS | {_PARSER}
    ]
    if not found:
        return None
    if len(found) > 1:
        raise DoesNotApply(f"it makes arguments of a Trainer in {len(found)} places")
    scope, call = found[0]
    if scope.names.resolve(call.func) == _PARSER:
        raise DoesNotApply(f"line {call.lineno} takes the Trainer's arguments from the command line")
    if any(item.arg is None for item in call.keywords) or any(isinstance(arg, ast.Starred) for arg in call.args):
        raise DoesNotApply(f"line {call.lineno} takes arguments from elsewhere, which may say so already")
    return Arguments(scope, call, {item.arg: item.value for item in call.keywords if item.arg})


def told(source: Source, found: Arguments, words: Mapping[str, str]) -> Patch:
    """With these values. Raises DoesNotApply."""
    edit = Edit()
    new = {name: value for name, value in words.items() if name not in found.keywords}
    if new and len(new) < len(words):
        raise DoesNotApply(f"line {found.call.lineno} says a part of it already")
    for name, value in words.items():
        if name not in new:
            edit.expression(source, found.keywords[name], value)
    if new:
        edit.expression(source, found.call, with_keywords(source, found.call, new))
    patch = make_script_patch(source, edit)
    if patch is None:
        raise DoesNotApply(f"the call at line {found.call.lineno} can't be edited faithfully")
    return patch
