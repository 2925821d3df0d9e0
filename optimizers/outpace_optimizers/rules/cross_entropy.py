"""cross-entropy: `F.cross_entropy`, or its module, in one Triton kernel each way, its logits widened in registers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass

from .attention_mask import definition
from .attention_ops import integer, pick
from .flow import loads, number
from .guarded import edit_with_kernels
from .names import own_nodes
from .scope import Scope, scopes
from .writing import make_patch

_FUNCTION = "torch.nn.functional.cross_entropy"
_LIKELIHOOD = "torch.nn.functional.nll_loss"
_SETTINGS = ("weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing")
_NAMES = ("input", "target", *_SETTINGS)
_WIDE = ("torch.float32", "torch.float")
_SHAPED = (".view", ".reshape", ".flatten", ".contiguous")


@dataclass(frozen=True, eq=False)
class Loss:
    """A call of `F.cross_entropy`, as texts. `widened`: the logits were brought to fp32, which `logits` leaves out."""

    node: ast.Call
    logits: str
    target: str
    keywords: tuple[str, ...]
    widened: bool
    made: ast.stmt | None = None
    """What made the loss's module and has no other use."""


class CrossEntropy:
    id = "cross-entropy"
    title = "Cross entropy in one kernel each way"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/cross-entropy.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            ours = "cross_entropy_fits" in scope.source.definitions
            if ours and scope.definition.qualname == "cross_entropy_reference":
                continue
            found = [loss for node in own_nodes(scope.function) if (loss := _loss(scope, node)) is not None]
            idea = self._idea(code, scope, found) if found else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Loss]) -> Idea | None:
        edit = edit_with_kernels(scope.source, "Cross entropy in one kernel each way", "cross_entropy", dispatcher=True)
        if edit is None:
            return None
        for loss in found:
            last = () if loss.widened else ("widen=False",)
            arguments = ", ".join([loss.logits, loss.target, *loss.keywords, *last])
            edit.expression(scope.source, loss.node, f"cross_entropy({arguments})")
            if loss.made is not None:
                edit.replace(scope.source, loss.made, [])
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"cross entropy in one Triton kernel each way in {scope.definition.qualname}",
            "logits are read once forward and once backward, in their own dtype; log-probabilities are never written",
            self.claimed_class,
            patch,
        )


def _loss(scope: Scope, node: ast.AST) -> Loss | None:
    if not isinstance(node, ast.Call):
        return None
    call = scope.names.call(node)
    if call is not None and call[0] == _FUNCTION:
        given = dict(zip(_NAMES, call[1], strict=False)) | call[2]
        keywords = _keywords({name: (value, scope.text(value)) for name, value in given.items() if name in _SETTINGS})
        made = None
    elif call is not None and call[0] == _LIKELIHOOD:
        return _of_likelihood(scope, node, call[1], call[2])
    else:
        given = dict(zip(_NAMES, node.args, strict=False)) | {str(key.arg): key.value for key in node.keywords}
        keywords, made = _of_module(scope, node.func) if set(given) == set(_NAMES[:2]) else (None, None)
    in_order = [*node.args, *(keyword.value for keyword in node.keywords)]
    if keywords is None or len(given) < 2 or in_order[:2] != [given.get("input"), given.get("target")]:
        return None
    narrow = _narrow(scope, given["input"])
    logits = scope.text(given["input"]) if narrow is None else narrow
    return Loss(node, logits, scope.text(given["target"]), keywords, narrow is not None, made)


def _of_likelihood(scope: Scope, node: ast.Call, args: list[ast.expr], keywords: dict[str, ast.expr]) -> Loss | None:
    """`F.nll_loss(F.log_softmax(logits, 1), target)`: classes are dimension 1 to both, the last is not enough."""
    given = dict(zip((*_NAMES[:2], *_SETTINGS[:-1]), args, strict=False)) | keywords
    made = scope.names.call(args[0]) if len(args) > 1 else None
    if made is None or made[0] not in ("torch.nn.functional.log_softmax", "torch.log_softmax", ".log_softmax"):
        return None
    dim = integer(pick(made[1], made[2], 1, "dim"))
    if not made[1] or len(made[1]) + len(made[2]) != 2 or not (dim == 1 or (dim == -1 and _flat(scope, made[1][0]))):
        return None
    keys = _keywords({name: (value, scope.text(value)) for name, value in given.items() if name in _SETTINGS})
    narrow = _narrow(scope, made[1][0])
    logits = scope.text(made[1][0]) if narrow is None else narrow
    return None if keys is None else Loss(node, logits, scope.text(args[1]), keys, narrow is not None)


def _flat(scope: Scope, logits: ast.expr) -> bool:
    """Whether the logits are rows for certain: `.view(-1, classes)`."""
    call = scope.names.call(logits)
    return call is not None and call[0] in (".view", ".reshape") and len(call[1]) == 3


def _of_module(scope: Scope, function: ast.expr) -> tuple[tuple[str, ...] | None, ast.stmt | None]:
    """The settings of an `nn.CrossEntropyLoss`, as keywords, and the statement that made it where that is of no other
    use: the module is an attribute, or made in the same function.
    """
    local = definition(scope, function) if isinstance(function, ast.Name) else None
    found = scope.module(function if local is None else local)
    if found is None or found[0] != "torch.nn.CrossEntropyLoss":
        return None, None
    made = found[1]
    given = dict(zip(_SETTINGS, made.args, strict=False)) | {str(key.arg): key.value for key in made.keywords}
    kept = scope.attribute(function) is not None
    texts = {name: (value, scope.text(value)) for name, value in given.items()}
    for name, (value, _) in texts.items():
        if not isinstance(value, ast.Constant) and number(value) is None:  # what it reads may mean another thing here
            if not kept:
                return None, None
            texts[name] = value, f"{scope.text(function)}.{name}"
    alone = isinstance(function, ast.Name) and len(loads(scope.function, function.id)) == 1
    statement = scope.parents.get(made)
    binding = statement if alone and isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    return _keywords(texts), binding


def _keywords(given: Mapping[str, tuple[ast.expr, str]]) -> tuple[str, ...] | None:
    """Those settings that are not what they are by default; None where the kernel lacks one."""
    settings = {name: both for name, both in given.items() if not _default(name, both[0])}
    if set(settings) - {"ignore_index", "reduction"}:
        return None
    if "reduction" in settings and not isinstance(settings["reduction"][0], ast.Constant):
        return None
    return tuple(f"{name}={text}" for name, (_, text) in settings.items())


def _default(name: str, value: ast.expr) -> bool:
    """Whether the setting is spelled as what it is by default."""
    none = isinstance(value, ast.Constant) and value.value is None
    return (name == "weight" and none) or (name == "label_smoothing" and number(value) == 0)


def _narrow(scope: Scope, logits: ast.expr) -> str | None:
    """The text of logits in fp32 without the cast; None where there is none."""
    call = scope.names.call(logits)
    if call is None or not isinstance(logits, ast.Call) or not call[1]:
        return None
    name, args, keywords = call
    wanted = [*args[1:], *keywords.values()]
    cast = name == ".float" and not wanted
    if cast or (name in (".to", ".type") and len(wanted) == 1 and scope.names.resolve(wanted[0]) in _WIDE):
        return scope.text(args[0])
    inner = _narrow(scope, args[0]) if name in _SHAPED else None
    if inner is None:
        return None
    shape = [scope.text(arg) for arg in args[1:]] + [f"{key}={scope.text(item)}" for key, item in keywords.items()]
    # A cast makes a slice contiguous, and without it only reshape takes one.
    return f"{inner}{'.reshape' if name == '.view' else name}({', '.join(shape)})"


RULE = CrossEntropy()
