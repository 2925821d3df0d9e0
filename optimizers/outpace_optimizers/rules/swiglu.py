"""swiglu: silu(gate) * up, and gelu(gate) * up, in one Triton kernel, and in one backward."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass

from .kernel_text import kernel_text
from .names import dotted, own_nodes
from .numbers_known import is_number
from .scope import Scope, scopes
from .writing import Edit, make_patch

_ACTIVATIONS = {
    "torch.nn.functional.silu": "silu",
    "torch.nn.SiLU": "silu",
    "torch.nn.functional.gelu": "gelu",
    "torch.nn.GELU": "gelu",
}


@dataclass(frozen=True, eq=False)
class Gated:
    """`node` is activation(gate) * up; `gate_first` in the text, which is the order of evaluation."""

    node: ast.expr
    activation: str
    gate: ast.expr
    up: ast.expr
    gate_first: bool


class SwiGLU:
    id = "swiglu"
    title = "Gate in one kernel"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/swiglu.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            ours = "glu_fits" in scope.source.definitions and scope.definition.qualname in ("glu", "glu_reference")
            found = [] if ours else list(_gates(scope))
            idea = self._idea(code, scope, found) if found else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, found: list[Gated]) -> Idea | None:
        text = kernel_text(scope.source, "glu", "Gated linear units in one kernel", dispatcher=True)
        if text is None:
            return None
        edit = Edit(imports=list(text.imports), definitions=dict(text.definitions))
        for gated in found:
            edit.expression(scope.source, gated.node, _call(scope, gated))
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"gated unit in one Triton kernel in {scope.definition.qualname}",
            "the activation is never written to memory, and backward needs gate and up alone",
            self.claimed_class,
            patch,
        )


def _call(scope: Scope, gated: Gated) -> str:
    gate, up = scope.text(gated.gate), scope.text(gated.up)
    activation = "" if gated.activation == "silu" else f', activation="{gated.activation}"'
    return f"glu({gate}, {up}{activation})" if gated.gate_first else f"glu(up={up}, gate={gate}{activation})"


def _gates(scope: Scope) -> Iterator[Gated]:
    inside: set[ast.AST] = set()
    for node in own_nodes(scope.function):
        gated = _gated(scope, node) if node not in inside else None
        if gated is not None:
            inside.update(ast.walk(gated.node))
            yield gated


def _gated(scope: Scope, node: ast.AST) -> Gated | None:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return None
    for activated, up, first in ((node.left, node.right, True), (node.right, node.left, False)):
        found = _activation(scope, activated)
        if found is not None and not is_number(scope, up):
            plain = dotted(found[1]) is not None and dotted(up) is not None
            return Gated(node, found[0], found[1], up, first or plain)
    return None


def _activation(scope: Scope, node: ast.expr) -> tuple[str, ast.expr] | None:
    """(name in the kernel, argument) of an activation's call, or of x * sigmoid(x)."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for x, other in ((node.left, node.right), (node.right, node.left)):
            call = scope.names.call(other)
            if call is not None and call[0] in ("torch.sigmoid", ".sigmoid") and not call[2] and len(call[1]) == 1:
                same = dotted(x) is not None and dotted(x) == dotted(call[1][0])
                return ("silu", x) if same else None
        return None
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return None
    module = scope.module(node.func)
    name = module[0] if module is not None else scope.names.resolve(node.func)
    kind = _ACTIVATIONS.get(name or "")
    if kind is None or (module is None) != (name or "").startswith("torch.nn.functional."):
        return None
    if module is None:
        return _approximate(kind, node.args[0], node.keywords)
    return None if node.keywords or module[1].args else _approximate(kind, node.args[0], module[1].keywords)


def _approximate(kind: str, argument: ast.expr, keywords: list[ast.keyword]) -> tuple[str, ast.expr] | None:
    for keyword in keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if kind == "gelu" and keyword.arg == "approximate" and value in ("none", "tanh"):
            kind = "gelu_tanh" if value == "tanh" else "gelu"
        elif keyword.arg != "inplace" or value is not False:
            return None
    return kind, argument


RULE = SwiGLU()
