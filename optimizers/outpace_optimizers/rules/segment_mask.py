"""segment-mask: a loop that fills the blocks of a mask between bounds, or numbers segments, becomes one comparison."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass, Patch

from .batch_loop import is_tensor
from .flow import changed, live_after, names_in, number
from .names import own_nodes
from .scope import Scope, scopes
from .segments import Bounds, SegmentLoop, segment_loop
from .writing import Edit, make_patch

_COVERED = '''def {name}(lows, highs, size, device):
    """Which of `size` places are in which segment, as slices have it: bounds below zero count from the end."""
    lows, highs = lows[: len(highs)], highs[: len(lows)]
    lows, highs = (torch.as_tensor(ends, device=device).unsqueeze(1) for ends in (lows, highs))
    lows, highs = (torch.where(ends < 0, ends + size, ends).clamp(min=0) for ends in (lows, highs))
    places = torch.arange(size, device=device)
    return (places >= lows) & (places < highs)
'''


@dataclass(frozen=True, slots=True)
class Filled:
    """`mask[leading, rows, columns, trailing] = value`; no columns where one dimension alone is cut."""

    mask: str
    sizes: tuple[str, ...]
    """Of the dimensions that are cut, each."""
    bounds: tuple[Bounds, ...]
    behind: str
    """How many dimensions come after them."""
    value: str
    counted: bool
    """Whether the value is one to add to the segment's number."""


class SegmentMask:
    id = "segment-mask"
    title = "Compare positions with the bounds of segments once"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/segment-mask.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for node in own_nodes(scope.function):
                patch = _compared(code, scope, node) if isinstance(node, ast.For) else None
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"compare positions with bounds in {scope.definition.qualname}",
                        "one comparison for all segments: each was a launch, and each bound a wait for the device",
                        self.claimed_class,
                        patch,
                    )


def _compared(code: Code, scope: Scope, loop: ast.For) -> Patch | None:
    found = segment_loop(scope, loop)
    filled = _filled(scope, found) if found is not None else None
    if filled is None or scope.names.table.get("torch") != "torch" or "torch" in scope.names.bound:
        return None
    if any(live_after(scope, loop, name) for name in changed(loop) - {filled.mask}):
        return None
    covered = scope.names.fresh("covered")
    edit = Edit(definitions={covered: _COVERED.format(name=covered)})
    edit.replace(scope.source, loop, _lines(scope, filled, covered))
    return make_patch(scope.source, code, scope.definition, edit)


def _filled(scope: Scope, found: SegmentLoop) -> Filled | None:
    match found.body:
        case [ast.Assign(targets=[ast.Subscript(value=ast.Name(id=mask) as owner, slice=index)], value=value)]:
            pass
        case _:
            return None
    cuts = index.elts if isinstance(index, ast.Tuple) else [index]
    kinds = [found.bounds(scope, cut) for cut in cuts]
    bounds = tuple(one for one in kinds if one is not None)
    others = [ast.unparse(cut) for cut, one in zip(cuts, kinds, strict=True) if one is None]
    first = next((place for place, one in enumerate(kinds) if one is not None), 0)
    touching = kinds[first : first + len(bounds)] == list(bounds)
    if not 1 <= len(bounds) <= 2 or not touching or set(others) - {":", "..."} or others.count("...") > 1:
        return None
    offset = _number_of(scope, value, found)
    known = number(value) is not None or (isinstance(value, ast.Constant) and isinstance(value.value, bool))
    read = any(mask in names_in(ast.parse(text)) for one in bounds for text in (one.lows, one.highs))
    if read or not is_tensor(scope, owner) or not (known or (offset is not None and len(bounds) == 1)):
        return None
    if "..." in map(ast.unparse, cuts[:first]):
        behind = str(len(cuts) - first - len(bounds))
        sizes = tuple(f"{mask}.shape[{place - len(cuts)}]" for place in range(first, first + len(bounds)))
    else:
        behind = f"{mask}.dim() - {first + len(bounds)}"
        sizes = tuple(f"{mask}.shape[{place}]" for place in range(first, first + len(bounds)))
    return Filled(mask, sizes, bounds, behind, scope.text(value) if known else str(offset), not known)


def _number_of(scope: Scope, value: ast.expr, found: SegmentLoop) -> int | None:
    """What `i`, `i + 1` is more than the number of turns so far."""
    match value:
        case ast.Name(id=name) if name == found.index:
            return found.first
        case ast.BinOp(left=ast.Name(id=name), op=ast.Add() | ast.Sub() as sign, right=ast.Constant(value=int() as by)):
            return found.first + (by if isinstance(sign, ast.Add) else -by) if name == found.index else None
        case _:
            return None


def _lines(scope: Scope, filled: Filled, covered: str) -> list[str]:
    mask, lines, parts = filled.mask, list[str](), list[str]()
    for size, bounds in zip(filled.sizes, filled.bounds, strict=True):
        parts.append(scope.names.fresh("inside"))
        made = f"{covered}({bounds.lows}, {bounds.highs}, {size}, {mask}.device)"
        again = f"{parts[0]} if {size} == {filled.sizes[0]} else " if bounds == filled.bounds[0] and lines else ""
        lines.append(f"{parts[-1]} = {again}{made}")
    return lines + (_numbered(scope, filled, parts[0]) if filled.counted else _marked(scope, filled, parts))


def _marked(scope: Scope, filled: Filled, parts: list[str]) -> list[str]:
    there = scope.names.fresh("filled")
    joined = f"{parts[0]}.any(0)" if len(parts) == 1 else f"{parts[0]}.float().T @ {parts[1]}.float() > 0"
    return [f"{there} = {joined}", *_shaped(there, filled), f"{filled.mask}.masked_fill_({there}, {filled.value})"]


def _numbered(scope: Scope, filled: Filled, inside: str) -> list[str]:
    """The last segment that a position is in: each turn of the loop writes over those before."""
    last, mask = scope.names.fresh("last"), filled.mask
    more = int(filled.value) - 1
    value = last if not more else f"({last} {'+' if more > 0 else '-'} {abs(more)})"
    return [
        f"{last} = torch.arange(1, {inside}.shape[0] + 1, device={mask}.device).unsqueeze(1) * {inside}",
        f"{last} = torch.nn.functional.pad({last}, (0, 0, 1, 0)).amax(0)",
        *_shaped(last, filled),
        f"{mask}.copy_(torch.where({last} > 0, {value}.to({mask}.dtype), {mask}))",
    ]


def _shaped(name: str, filled: Filled) -> list[str]:
    """Seen with as many dimensions of one behind as the mask has."""
    if filled.behind == "0":
        return []
    ones = f"[1] * ({filled.behind})" if "dim" in filled.behind else f"[1] * {filled.behind}"
    return [f"{name} = {name}.view(*{name}.shape, *{ones})"]


RULE = SegmentMask()
