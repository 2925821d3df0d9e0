"""Whether a loop body can run once under `torch.vmap`: pure, no value read back, nothing carried
between iterations.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .attention_trace import plain_test
from .batch_mask import may_be_masked
from .batch_output import pairs_of
from .flow import changed, in_place, names_in
from .names import dotted, words
from .numbers_known import is_number
from .pure_ops import MAKERS
from .scope import Scope

_READS = words(
    "item tolist numpy cpu cuda backward register_hook nonzero unique data_ptr append_ multinomial "
    "bernoulli dropout storage is_contiguous retain_grad masked_select argwhere unique_consecutive "
    "share_memory set allclose equal detach_ pin_memory numpy_ write pop update add_module step "
    "zero_grad put get remove clear cpu_ insert extend print"
)  # fmt: skip
"""Methods that read values back to Python, change shapes by value, are random, or have an effect."""

_RANDOM = frozenset({"bernoulli", "multinomial", "normal", "seed", "poisson", "manual_seed", "alpha_dropout"})
_MODULES = words(
    "Linear LayerNorm RMSNorm GroupNorm ReLU GELU SiLU Sigmoid Tanh Softmax LogSoftmax ELU LeakyReLU "
    "Identity Embedding Conv1d Conv2d Softplus Mish Hardtanh Flatten Bilinear PReLU ReLU6 CELU SELU "
    "AvgPool1d AvgPool2d MaxPool1d MaxPool2d Unflatten Hardswish Softsign LogSigmoid"
)
"""Modules without randomness and without buffers that they update."""

_BUILT_IN = frozenset({"range", "len", "min", "max", "abs", "sum", "tuple", "zip", "enumerate", "reversed"})
_STATEMENTS = (
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.For,
    ast.If,
    ast.Pass,
    ast.FunctionDef,
    ast.Return,
)
_EXPRESSIONS = (
    ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.JoinedStr, ast.Set, ast.Dict, ast.DictComp,
    ast.SetComp,
)  # fmt: skip


def can_map(scope: Scope, body: list[ast.stmt], results: list[ast.expr], mapped: set[str]) -> bool:
    """`mapped`: names that stand for one slice. `results`: what an iteration hands out."""
    local = set[str]().union(*(changed(statement) for statement in body)) if body else set[str]()
    if not all(_statement(scope, statement, local | mapped) for statement in body):
        return False
    nodes = [node for part in (*body, *results) for node in ast.walk(part)]
    if not all(expression(scope, node, local | mapped) for node in nodes):
        return False
    if any(_bounded_by(scope, node, mapped) for node in nodes if isinstance(node, ast.Slice)):
        return False
    given = {name: value for statement in body for name, value in pairs_of(statement)}
    picked = [node for node in nodes if isinstance(node, ast.Subscript)]
    if any(may_be_masked(scope, node, given, local | mapped) for node in picked):
        return False
    return not _carried(body, results, local) and not _aliased(body, local)


def _bounded_by(scope: Scope, node: ast.Slice, mapped: set[str]) -> bool:
    """Whether a tensor's value says where the slice begins or ends: that differs between iterations, unseen."""
    bounds = [bound for bound in (node.lower, node.upper, node.step) if bound is not None]
    return any(names_in(bound) & mapped and not is_number(scope, bound) for bound in bounds)


def _statement(scope: Scope, node: ast.stmt, tensors: set[str]) -> bool:
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Constant):
            return True
        call = node.value
        return (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "append"
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id in tensors
        )
    if not isinstance(node, _STATEMENTS) or isinstance(node, ast.Return):
        return False
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(_plain_target(target) for target in targets)
    if isinstance(node, ast.If):
        if not plain_test(node.test) or names_in(node.test) & tensors - {scope.self_name}:
            return False
        return all(_statement(scope, item, tensors) for item in [*node.body, *node.orelse])
    if isinstance(node, ast.For):
        return not node.orelse and all(_statement(scope, item, tensors) for item in node.body)
    if isinstance(node, ast.FunctionDef):
        last = node.body[-1]
        inner = [item for item in node.body if item is not last]
        return isinstance(last, ast.Return) and all(_statement(scope, item, tensors) for item in inner)
    return True


def _plain_target(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(_plain_target(item) for item in target.elts)
    return isinstance(target, ast.Name)


def expression(scope: Scope, node: ast.AST, tensors: set[str], depth: int = 3) -> bool:
    """Whether this node alone is fit for vmap."""
    if isinstance(node, _EXPRESSIONS):
        return False
    if isinstance(node, (ast.IfExp, ast.While, ast.comprehension)):
        tests = node.ifs if isinstance(node, ast.comprehension) else [node.test]
        return all(plain_test(test) and not names_in(test) & tensors for test in tests)
    if isinstance(node, (ast.BoolOp, ast.Not)):
        return False
    return _call(scope, node, tensors, depth) if isinstance(node, ast.Call) else True


def _call(scope: Scope, node: ast.Call, tensors: set[str], depth: int) -> bool:
    name = scope.names.resolve(node.func)
    if name is not None:
        return _imported_call(node, name)
    if isinstance(node.func, ast.Name):
        if node.func.id in ("float", "int", "bool"):
            return all(isinstance(arg, ast.Constant) or is_number(scope, arg) for arg in node.args)
        return node.func.id in _BUILT_IN or _own(scope, node.func.id, depth)
    if not isinstance(node.func, ast.Attribute):
        if not isinstance(node.func, ast.Call):
            return False
        return scope.names.resolve(node.func.func) == "torch.vmap" or _module(scope, node.func)
    if dotted(node.func) == f"{scope.self_name}.{node.func.attr}":
        owner = scope.definition.owner
        return _module(scope, node.func) or (owner is not None and _own(scope, f"{owner.name}.{node.func.attr}", depth))
    if dotted(node.func.value) is not None and scope.names.resolve(node.func.value) is not None:
        return False
    return node.func.attr not in _READS and not in_place(node.func.attr)


def _imported_call(node: ast.Call, name: str) -> bool:
    """A call of something imported, by its canonical name."""
    word = name.rpartition(".")[2]
    if (
        in_place(word)
        or (word in _RANDOM or word.startswith(("rand", "dropout", "empty")))
        or any(key.arg in ("out", "inplace") for key in node.keywords)
    ):
        return False
    if word in (
        "unique",
        "nonzero",
        "masked_select",
        "argwhere",
        "checkpoint",
        "compile",
        "allclose",
        "equal",
    ):
        return False
    if name.startswith("torch.nn.") and not name.startswith("torch.nn.functional."):
        return word in _MODULES
    return name.startswith(("torch.", "math.", "einops.")) and not name.startswith(("torch.cuda", "torch.autograd"))


def _module(scope: Scope, node: ast.expr) -> bool:
    made = scope.module(node)
    if made is None or not made[0].startswith("torch.nn."):
        return False
    word = made[0].rpartition(".")[2]
    if word == "Sequential":
        return all(_module(scope, arg) for arg in made[1].args) if made[1].args else False
    if any(key.arg == "inplace" for key in made[1].keywords):
        return False
    return word in _MODULES


def _own(scope: Scope, qualname: str, depth: int) -> bool:
    """A function or method of this file whose body is itself fit for vmap."""
    found = scope.source.definitions.get(qualname)
    if found is None or depth == 0 or not isinstance(found.node, ast.FunctionDef) or found.node.decorator_list:
        return False
    inner = Scope(scope.source, found.node and found, found.node)
    tensors = {arg.arg for arg in found.node.args.args} - {inner.self_name or ""}
    body = [item for item in found.node.body if not isinstance(item, ast.Return)]
    if not all(_statement(inner, item, tensors) for item in body):
        return False
    if set().union(*(_attributes_set(item) for item in body)):
        return False
    return all(expression(inner, item, tensors, depth - 1) for part in found.node.body for item in ast.walk(part))


def _attributes_set(node: ast.AST) -> set[str]:
    return {item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store)}


def _loads(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
            yield child.id
        elif isinstance(child, ast.AugAssign) and isinstance(child.target, ast.Name):
            yield child.target.id


def _carried(body: list[ast.stmt], results: list[ast.expr], local: set[str]) -> bool:
    """Whether an iteration reads what the one before it left in a local name."""
    known: set[str] = set()
    for statement in body:
        if isinstance(statement, (ast.For, ast.If)):
            inner = [*statement.body, *statement.orelse]
            head = statement.iter if isinstance(statement, ast.For) else statement.test
            bound = names_in(statement.target) if isinstance(statement, ast.For) else set[str]()
            if (set(_loads(head)) & local) - known or _carried_within(inner, local, known | bound):
                return True
        elif isinstance(statement, ast.FunctionDef):
            own = {arg.arg for arg in statement.args.args} | changed(statement)
            if ((set(_loads(statement)) & local) - known) - own:
                return True
        elif (set(_loads(statement)) & local) - known - _comprehended(statement):
            return True
        known |= changed(statement)
    return bool({name for result in results for name in set(_loads(result)) - _comprehended(result)} & local - known)


def _carried_within(body: list[ast.stmt], local: set[str], known: set[str]) -> bool:
    return _carried(body, [], local - known)


def _comprehended(node: ast.AST) -> set[str]:
    """Names bound by comprehensions and lambdas inside the node."""
    found: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.comprehension):
            found |= names_in(child.target)
        elif isinstance(child, ast.Lambda):
            found |= {arg.arg for arg in child.args.args}
    return found


def _aliased(body: list[ast.stmt], local: set[str]) -> bool:
    """Whether an augmented assignment may write into a mapped input or into an unmapped new tensor."""
    first: dict[str, ast.expr] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                first.setdefault(node.targets[0].id, node.value)
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                value = first.get(node.target.id)
                if value is None or isinstance(value, (ast.Name, ast.Subscript, ast.Attribute)):
                    return True
                if isinstance(value, ast.Call) and (dotted(value.func) or "").rpartition(".")[2] in _NEW:
                    return True
    return False


_NEW = frozenset(name.removeprefix("torch.") for name in MAKERS) | {
    "empty",
    "empty_like",
    "view",
    "transpose",
}
