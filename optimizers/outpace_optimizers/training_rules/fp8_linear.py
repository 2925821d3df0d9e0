"""fp8-linear: linear layers of a script that computes in bfloat16, with the forward product in e4m3.

`nn.Linear(...)` becomes a subclass and `F.linear(...)` a function, whose text goes into the script: both ask at each
call whether FP8 takes these tensors, and compute as before where not. What gives logits over an embedding's classes
stays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Idea, NumericsClass
from outpace_optimizers.rules.guarded import edit_with_kernels
from outpace_optimizers.rules.writing import make_script_patch
from outpace_optimizers.source import Source

from .fitting import DoesNotApply, first_line
from .scopes import Scope, scopes

_TITLE = "Linear layers with their forward product in FP8"
_LAYER, _FUNCTION, _EMBEDDING = "torch.nn.Linear", "torch.nn.functional.linear", "torch.nn.Embedding"
_PARAMETERS = {_LAYER: ("in_features", "out_features", "bias"), _FUNCTION: ("input", "weight", "bias")}
_BF16 = frozenset({"bfloat16", "bf16"})


class FP8LinearRule:
    id = "fp8-linear"
    title = _TITLE
    claimed_class: NumericsClass = "lossy"
    page = "docs/rules/fp8-linear.md"

    def propose_training(self, source: Source) -> Iterator[Idea]:
        _refuse(source)
        every = scopes(source)
        if (line := _type_compared(every)) is not None:
            raise DoesNotApply(f"line {line} asks for the very type of a linear layer")
        found = list(_sites(every))
        if not found:
            raise DoesNotApply("it has no linear layer but those of logits")
        edit = edit_with_kernels(source, _TITLE, "fp8_linear")
        if edit is None:
            raise DoesNotApply("names of the kernel mean something else in it")
        for call, name in found:
            edit.expression(source, call.func, name)
        patch = make_script_patch(source, edit)
        if patch is None:
            raise DoesNotApply(f"line {found[0][0].lineno} can't be edited faithfully")
        yield Idea(
            self.id,
            f"the forward product of {len(found)} linear layers in FP8",
            "tensor cores multiply e4m3 numbers at twice the rate of bfloat16; the backward pass stays in bfloat16",
            self.claimed_class,
            patch,
        )


def _refuse(source: Source) -> None:
    """Raises where a script is none of these, or has this already."""
    said = {word for node in ast.walk(source.tree) for word in _words(node)}
    if "linear_in_fp8" in source.definitions or any(word.startswith("float8") for word in said):
        raise DoesNotApply("it has products in FP8")
    if not said & _BF16:
        raise DoesNotApply("it never names bfloat16: the rule autocast-bf16 comes first")
    if not any("cuda" in word for word in said):
        raise DoesNotApply("it never names a GPU")


def _words(node: ast.AST) -> Iterator[str]:
    for name in ("id", "attr", "arg", "value"):
        value = getattr(node, name, None)
        if isinstance(value, str):
            yield value


def _type_compared(every: list[Scope]) -> int | None:
    """A line that compares a type with `nn.Linear`, which a subclass is not."""
    return first_line(
        node
        for scope in every
        for node in scope.nodes
        if isinstance(node, ast.Compare)
        and any(isinstance(one, ast.expr) and scope.names.resolve(one) == _LAYER for one in ast.walk(node))
    )


def _sites(every: list[Scope]) -> Iterator[tuple[ast.Call, str]]:
    """Calls, and what they are to call instead."""
    classes, tables = _embedded(every)
    for scope in every:
        for call in scope.calls():
            meaning = scope.names.resolve(call.func)
            given = _arguments(call, _PARAMETERS.get(meaning or "", ()))
            if meaning == _LAYER and given.get("out_features", "") not in classes:
                yield call, "FP8Linear"
            elif meaning == _FUNCTION and not any(f".{one}.weight" in given.get("weight", "") for one in tables):
                yield call, "linear_in_fp8"


def _arguments(call: ast.Call, names: tuple[str, ...]) -> dict[str, str]:
    """Texts by parameter."""
    given = {name: ast.unparse(node) for name, node in zip(names, call.args, strict=False)}
    return given | {key.arg: ast.unparse(key.value) for key in call.keywords if key.arg is not None}


def _embedded(every: list[Scope]) -> tuple[set[str], set[str]]:
    """How many classes embeddings have, as written; and the attributes that hold the embeddings."""
    classes, tables = set[str](), set[str]()
    for scope in every:
        made = {call for call in scope.calls() if scope.names.resolve(call.func) == _EMBEDDING}
        for call in made:
            given = {key.arg: key.value for key in call.keywords}
            count = call.args[0] if call.args else given.get("num_embeddings")
            classes |= {ast.unparse(count)} if count is not None else set()
        for node in scope.nodes:
            if isinstance(node, ast.Assign) and made & set(ast.walk(node.value)):
                targets = [one for target in node.targets for one in ast.walk(target)]
                tables |= {one.attr for one in targets if isinstance(one, ast.Attribute)}
    return classes, tables


RULE = FP8LinearRule()

__all__ = ["RULE", "FP8LinearRule"]
