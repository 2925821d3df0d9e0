"""interleaved-rope: neighbours that are turned by their position, as complex numbers or not, in one Triton kernel."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .complex_turns import Turn, complex_pairs, complex_turns, pairs_of, spelled, write_turn
from .flow import names_in, unneeded
from .guarded import edit_with_kernels
from .neighbour_turns import NeighbourTurn, neighbour_turns
from .rotation_casts import cast_after, uncast
from .scope import Scope, scopes
from .shape_reads import only_sizes_elsewhere
from .single_use import meant, unchanged
from .writing import Edit, make_patch

_TITLE = "Rotary embedding of neighbours in one kernel"
_WIDTH = 90
"""Of a call on one line."""
_COMPLEX = '''def {turned}(x, by, cast=False, kind=None):
    """Pairs in the last dimension, times complex numbers: of x in float32 where `cast`, the result as `kind`."""
    floats = kind is None or kind.is_floating_point
    if isinstance(by, torch.Tensor) and by.dtype is torch.complex64 and (cast or x.dtype is torch.float32) and floats:
        cos, sin = torch.view_as_real(by.resolve_conj()).unbind(-1)
        rows = x.flatten(-2)
        if interleaved_rope_fits(rows, None, cos, sin):
            made = fused_interleaved_rope(rows, None, cos, sin, kind or torch.float32)[0]
            return made.unflatten(-1, (-1, 2))
    x = x.float() if cast else x
    made = torch.view_as_real(torch.view_as_complex(x) * by)
    return made if kind is None else made.to(kind)
'''
_NEIGHBOURS = '''def {turned}(x, cos, sin, cast=False, kind=None):
    """Neighbours in the last dimension, turned, as pairs: of x in float32 where `cast`, the result as `kind`."""
    if (kind is None or kind.is_floating_point) and interleaved_rope_fits(x, None, cos, sin):
        made = fused_interleaved_rope(x, None, cos, sin, kind or (torch.float32 if cast else None))[0]
        return made.unflatten(-1, (-1, 2))
    x = x.float() if cast else x
    even, odd = x[..., ::2], x[..., 1::2]
    made = torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1)
    return made if kind is None else made.to(kind)
'''


class InterleavedRoPE:
    id = "interleaved-rope"
    title = _TITLE
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/interleaved-rope.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            known = scope.names.table.get("torch") == "torch" and "torch" not in scope.names.bound
            if not known or "interleaved_rope_fits" in names_in(scope.function):
                continue
            numbers, neighbours = list(complex_turns(scope)), list(neighbour_turns(scope))
            idea = self._idea(code, scope, numbers, neighbours) if numbers or neighbours else None
            if idea is not None:
                yield idea

    def _idea(self, code: Code, scope: Scope, numbers: list[Turn], neighbours: list[NeighbourTurn]) -> Idea | None:
        edit = edit_with_kernels(scope.source, _TITLE, "interleaved_rope")
        if edit is None:
            return None
        if numbers:
            turned = scope.names.fresh("turned")
            edit.definitions[turned] = _COMPLEX.format(turned=turned)
            for turn in numbers:
                _write_complex(edit, scope, turn, turned)
        if neighbours:
            turned = scope.names.fresh("neighbours_turned")
            edit.definitions[turned] = _NEIGHBOURS.format(turned=turned)
            for turn in neighbours:
                _write_neighbours(edit, scope, turn, turned)
        patch = make_patch(scope.source, code, scope.definition, edit)
        if patch is None:
            return None
        return Idea(
            self.id,
            f"rotary embedding in one Triton kernel in {scope.definition.qualname}",
            "what is turned is read and written once, in its own dtype, in place of a pass for each cast and product",
            self.claimed_class,
            patch,
        )


def _write_complex(edit: Edit, scope: Scope, turn: Turn, turned: str) -> None:
    given, cast = _given(edit, scope, turn)
    write_turn(edit, scope, turn, _called(scope, turned, [given, scope.text(turn.by), *_how(scope, turn.node, cast)]))


def _given(edit: Edit, scope: Scope, turn: Turn) -> tuple[str, bool]:
    """What to turn, and whether it is cast to fp32 first."""
    pairs = complex_pairs(scope, turn.shared) if turn.shared is not None else turn.pairs
    made = meant(scope, pairs) if pairs is not None else None
    text = uncast(scope, made) if made is not None else None
    if pairs is None or made is None:
        return pairs_of(edit, scope, turn, None), False
    if turn.shared is not None:
        name = turn.number
        if made is not pairs or text is None or not isinstance(name, ast.Name):
            return pairs_of(edit, scope, turn, None), False
        if not only_sizes_elsewhere(scope, name) or not unchanged(scope, pairs, turn.node):
            return pairs_of(edit, scope, turn, None), False
        edit.expression(scope.source, turn.shared, f"{text}[..., 0]")
        return text, True
    if text is not None and made is not pairs:
        edit.expression(scope.source, made, text)
        return pairs_of(edit, scope, turn, scope.text(pairs)), True
    return pairs_of(edit, scope, turn, text or spelled(scope, pairs)), text is not None


def _write_neighbours(edit: Edit, scope: Scope, turn: NeighbourTurn, turned: str) -> None:
    """What led to nothing but the turn goes."""
    for statement in unneeded(scope, turn.block, list(turn.read), turn.node):
        edit.replace(scope.source, statement, [])
    given = [turn.x, scope.text(turn.cos), scope.text(turn.sin), *_how(scope, turn.node, turn.cast)]
    edit.expression(scope.source, turn.node, _called(scope, turned, given))


def _how(scope: Scope, node: ast.expr, cast: bool) -> list[str]:
    kind = cast_after(scope, node)
    return [*["cast=True"] * cast, *([f"kind={kind}"] if kind is not None else [])]


def _called(scope: Scope, name: str, arguments: list[str]) -> str:
    whole = f"{name}({', '.join(arguments)})"
    if len(whole) < _WIDTH:
        return whole
    return f"{name}(\n" + "".join(f"{scope.source.indent}{item},\n" for item in arguments) + ")"


RULE = InterleavedRoPE()
