"""complex-rotation: pairs of numbers turned as complex ones become a compiled product of real ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .names import own_nodes
from .scope import Scope, scopes
from .single_use import latest, meant
from .writing import Edit, make_patch

_TURNED = """@torch.compile
def {pairs}(x, by):
    real, imaginary = x.unbind(-1)
    cosine, sine = by.unbind(-1)
    return torch.stack((real * cosine - imaginary * sine, real * sine + imaginary * cosine), -1)
"""
_CALLED = '''def {turned}(x, by):
    """Pairs in the last dimension, times complex numbers: what is compiled reads and writes real ones."""
    if isinstance(by, torch.Tensor) and by.is_complex():
        return {pairs}(x, torch.view_as_real(by.resolve_conj()))
    return torch.view_as_real(torch.view_as_complex(x) * by)
'''


class ComplexRotation:
    id = "complex-rotation"
    title = "Turn pairs without complex numbers"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/complex-rotation.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            if scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound:
                continue
            edit, turned = Edit(), scope.names.fresh("turned")
            found = [_turn(edit, scope, node, turned) for node in own_nodes(scope.function)]
            if not any(found):
                continue
            pairs = scope.names.fresh(f"{turned}_pairs")
            edit.definitions = {
                pairs: _TURNED.format(pairs=pairs),
                turned: _CALLED.format(turned=turned, pairs=pairs),
            }
            patch = make_patch(scope.source, code, scope.definition, edit)
            if patch is not None:
                yield Idea(
                    self.id,
                    f"turn pairs without complex numbers in {scope.definition.qualname}",
                    "one kernel; compilers leave complex numbers to kernels of their own, and break there",
                    self.claimed_class,
                    patch,
                )


def _turn(edit: Edit, scope: Scope, node: ast.AST, turned: str) -> bool:
    """`view_as_real(view_as_complex(pairs) * by)`, in one expression or over names that nothing else reads."""
    product = _given(scope, node, "torch.view_as_real")
    if product is None or not isinstance(node, ast.expr):
        return False
    whole = meant(scope, product)
    sides = _sides(scope, whole)
    for number, by in (sides, sides[::-1]) if sides is not None else ():
        made = meant(scope, number)
        pairs = _given(scope, made, "torch.view_as_complex")
        shared = _given(scope, latest(scope, number), "torch.view_as_complex")
        if pairs is not None and made is not number:
            edit.expression(scope.source, made, f"({scope.text(pairs)})" if _loose(pairs) else scope.text(pairs))
            given = scope.text(number)
        elif pairs is not None or shared is not None:
            given = scope.text(pairs) if pairs is not None else f"torch.view_as_real({scope.text(number)})"
        else:
            continue
        text = f"{turned}({given}, {scope.text(by)})"
        if whole is not product:
            edit.expression(scope.source, whole, text)
            text = scope.text(product)
        edit.expression(scope.source, node, text)
        return True
    return False


def _given(scope: Scope, node: ast.AST, name: str) -> ast.expr | None:
    call = scope.names.call(node)
    return call[1][0] if call is not None and call[0] == name and len(call[1]) == 1 and not call[2] else None


def _sides(scope: Scope, node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return node.left, node.right
    call = scope.names.call(node)
    if call is not None and call[0] in ("torch.mul", ".mul") and len(call[1]) == 2 and not call[2]:
        return call[1][0], call[1][1]
    return None


def _loose(node: ast.expr) -> bool:
    return not isinstance(node, (ast.Name, ast.Call, ast.Attribute, ast.Subscript))


RULE = ComplexRotation()
