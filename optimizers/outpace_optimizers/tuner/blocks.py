"""Knobs of CUDA texts: how many threads a block has."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from outpace_audit.records import Code
from outpace_optimizers.cuda.parsing import CudaText, Kernel, Launch, below, parsed
from outpace_optimizers.cuda.sizes import MOST_THREADS, Size, block_of, literals, number_end
from outpace_optimizers.rules.native_sites import Splices, Written, sites, written
from outpace_optimizers.tuner.knobs import Knob, powers
from outpace_optimizers.tuner.literals import Place

WARP = 32
_PARTS = (1, 2, WARP)
"""Of a block that kernels spell out: itself less one, its half where a reduction begins, its warps."""


def block_knobs(code: Code) -> Iterator[Knob]:
    for site in sites(code):
        for native in site.texts("cuda"):
            splices = Splices(site.source)
            place = written(site, native, splices)
            if place is not None:
                yield from _of_text(parsed(place.text), place)


def _of_text(cuda: CudaText, place: Written) -> Iterator[Knob]:
    """Blocks of one dimension, each of one kernel, and the same at all its launches."""
    for kernel in cuda.kernels:
        launches = cuda.launches_of(kernel)
        blocks = [block_of(cuda, launch) for launch in launches]
        sizes = [block[0] for block in blocks if block is not None and len(block) == 1]
        if not sizes or len(sizes) != len(launches) or len({(one.value, one.name) for one in sizes}) > 1:
            continue
        if sizes[0].value in range(WARP, MOST_THREADS + 1, WARP) and not _spells_it_out(cuda, kernel, sizes[0]):
            more = [one for launch in launches for one in _again(cuda, launch, sizes[0])]
            more += _bounds(cuda, kernel, sizes[0])
            first, *others = (_place(cuda, place, one) for one in _distinct(sizes))
            choices = powers(sizes[0].value, WARP, MOST_THREADS)
            name = sizes[0].name or f"block of {kernel.name}"
            more_places = [_place(cuda, place, node, form) for node, form in more]
            yield Knob(name, sizes[0].value, choices, tuple(dict.fromkeys((first, *others, *more_places))), kernel.name)


def _distinct(sizes: list[Size]) -> list[Node]:
    """Where the size is written: once where it has a name."""
    return [sizes[0].node] if sizes[0].name is not None else [one.node for one in sizes]


def _spells_it_out(cuda: CudaText, kernel: Kernel, size: Size) -> bool:
    """Whether the kernel's body has the number, or one that comes of it, as a literal: then it may depend on it."""
    wanted = {size.value // part for part in _PARTS} | {size.value - 1}
    wanted -= {0, 1, 2, 4, 8}  # of other things, too
    return any(literals(cuda, kernel.body, value) for value in wanted if value != WARP)


def _again(cuda: CudaText, launch: Launch, size: Size) -> Iterator[tuple[Node, str]]:
    """Where the grid says a size without a name once more, as in `(n + 255) / 256`."""
    if size.name is not None:
        return
    grid = launch.grid
    if grid.type == "identifier" and launch.host is not None:
        grid = _grid_value(cuda, grid, launch.host) or grid
    for node in literals(cuda, grid, size.value):
        yield node, "{}"
    for node in literals(cuda, grid, size.value - 1):
        parent = node.parent
        if (
            parent is not None
            and parent.type == "binary_expression"
            and any(one.type == "+" for one in parent.children)
        ):
            yield node, "{} - 1"


def _grid_value(cuda: CudaText, name: Node, host: Node) -> Node | None:
    for one in below(host):
        if one.type == "init_declarator":
            declared = one.child_by_field_name("declarator")
            if declared is not None and cuda.said(declared) == cuda.said(name):
                return one.child_by_field_name("value")
    return None


def _bounds(cuda: CudaText, kernel: Kernel, size: Size) -> Iterator[tuple[Node, str]]:
    if kernel.bounds is not None and size.name is None:
        yield from ((node, "{}") for node in literals(cuda, kernel.bounds, size.value)[:1])


def _place(cuda: CudaText, place: Written, node: Node, form: str = "{}") -> Place:
    return Place(place.start + cuda.start(node), place.start + number_end(cuda, node), place.span, form)
