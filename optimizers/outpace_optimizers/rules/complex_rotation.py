"""complex-rotation: pairs of numbers turned as complex ones become a compiled product of real ones."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass

from .complex_turns import complex_turns, pairs_of, spelled, write_turn
from .scope import scopes
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
            found = list(complex_turns(scope))
            if not found:
                continue
            edit, turned = Edit(), scope.names.fresh("turned")
            for turn in found:
                text = None if turn.pairs is None else spelled(scope, turn.pairs)
                given = pairs_of(edit, scope, turn, text)
                write_turn(edit, scope, turn, f"{turned}({given}, {scope.text(turn.by)})")
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


RULE = ComplexRotation()
