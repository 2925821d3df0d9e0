"""`__launch_bounds__(N)`: where the text says how many threads every launch of a kernel has, the compiler is told, and
knows with how many registers how many blocks fit on a multiprocessor."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from outpace_optimizers.cuda.change import Change, TextEdit
from outpace_optimizers.cuda.parsing import CudaText, Kernel, below, function_around
from outpace_optimizers.cuda.sizes import MOST_THREADS, block_of

RULE = "cuda-launch-bounds"
_HEAVY = frozenset({"for_statement", "while_statement", "do_statement", "array_declarator", "for_range_loop"})
"""A kernel without any of these needs so few registers that as many blocks fit whatever they are."""


def bounded(cuda: CudaText) -> Iterator[Change]:
    for kernel in cuda.kernels:
        threads = _threads(cuda, kernel)
        if kernel.bounds is None and threads is not None and threads < MOST_THREADS and _is_heavy(kernel):
            place = cuda.start(kernel.identifier)
            edit = TextEdit(place, place, f"__launch_bounds__({_named(cuda, kernel) or threads}) ")
            yield Change(RULE, kernel.name, place, f"launch bounds of {threads} threads for {kernel.name}", (edit,))


def _threads(cuda: CudaText, kernel: Kernel) -> int | None:
    """The most that any launch gives a block."""
    sizes = [block_of(cuda, launch) for launch in cuda.launches_of(kernel)]
    if not sizes or None in sizes:
        return None
    return max(prod(one.value for one in size) for size in sizes if size is not None)


def _named(cuda: CudaText, kernel: Kernel) -> str | None:
    """The constant that every launch has for its block, where the kernel can see it: both then change together."""
    blocks = [block_of(cuda, launch) or [] for launch in cuda.launches_of(kernel)]
    names = {block[0].name if len(block) == 1 else None for block in blocks}
    node = blocks[0][0].node if blocks[0] else None
    seen = node is not None and function_around(node) is None and node.start_byte < kernel.node.start_byte
    return names.pop() if seen and len(names) == 1 else None


def _is_heavy(kernel: Kernel) -> bool:
    return any(node.type in _HEAVY for node in below(kernel.body))
