"""What can be said of a CUDA source without running it: launches that fail, and what the compiler is not told.

Nothing of it is measured, and it says so; there is no edit, because what is not audited is not offered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from lsprotocol import types
from pygls.workspace import TextDocument
from tree_sitter import Node

from outpace_optimizers.cuda.parsing import CudaText, Kernel, Parameter, below, parsed
from outpace_optimizers.cuda.sizes import MOST_THREADS, block_of, size_of
from outpace_server.lsp.client_features import ClientFeatures
from outpace_server.lsp.publishing import SEVERITIES, SOURCE
from outpace_server.lsp.settings import Severity

PAGE = "https://github.com/outpace-dev/outpace/blob/main/docs/editor.md#cuda-sources"
VECTOR = 16
"""Bytes: the most that one load or store of a thread moves, up to compute capability 9.0."""
BYTES = {
    "double": 8, "float": 4, "int": 4, "unsigned": 4, "unsigned int": 4, "int32_t": 4, "uint32_t": 4,
    "half": 2, "__half": 2, "at::Half": 2, "c10::Half": 2,
    "__nv_bfloat16": 2, "nv_bfloat16": 2, "at::BFloat16": 2, "c10::BFloat16": 2,
    "char": 1, "signed char": 1, "unsigned char": 1, "int8_t": 1, "uint8_t": 1,
}  # fmt: skip
ALIASES_ALL = frozenset({"char", "unsigned char", "signed char", "int8_t", "uint8_t", "void", "std::byte"})
THREAD = {"blockIdx.x*blockDim.x+threadIdx.x", "blockDim.x*blockIdx.x+threadIdx.x"} | {
    "threadIdx.x+blockIdx.x*blockDim.x", "threadIdx.x+blockDim.x*blockIdx.x",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hint:
    """On `length` characters from `place`. `fails`: not a matter of speed."""

    place: int
    length: int
    code: str
    text: str
    fails: bool = False


def hints_in(text: str) -> Iterator[Hint]:
    cuda = parsed(text)
    for kernel in cuda.kernels:
        yield from _launches_that_fail(cuda, kernel)
        yield from _no_bounds(cuda, kernel)
        yield from _no_restrict(cuda, kernel)
        yield from _narrow(cuda, kernel)


def cuda_diagnostics(document: TextDocument, severity: Severity, features: ClientFeatures) -> list[types.Diagnostic]:
    if severity == "off":
        return []
    lines = document.lines
    return [
        types.Diagnostic(
            range=document.position_codec.range_to_client_units(lines, _range(lines, hint)),
            message=hint.text,
            severity=types.DiagnosticSeverity.Warning if hint.fails else SEVERITIES[severity],
            source=SOURCE,
            code=hint.code,
            code_description=types.CodeDescription(href=PAGE) if features.diagnostic_links else None,
        )
        for hint in hints_in(document.source)
    ]


def _launches_that_fail(cuda: CudaText, kernel: Kernel) -> Iterator[Hint]:
    bounds = _bounds(cuda, kernel)
    for launch in cuda.launches_of(kernel):
        threads = prod(one.value for one in block_of(cuda, launch) or [])
        if threads > MOST_THREADS:
            text = f"This launch fails: a block has at most {MOST_THREADS:,} threads, not {threads:,}."
        elif bounds and threads > bounds:
            text = f"This launch fails: its {threads:,} threads are more than __launch_bounds__({bounds}) allows."
        else:
            continue
        yield Hint(cuda.start(launch.node), len(kernel.name), "cuda-launch-fails", text, fails=True)


def _bounds(cuda: CudaText, kernel: Kernel) -> int | None:
    """The threads of its `__launch_bounds__`; None where there are none, or no number."""
    said = kernel.bounds.named_children if kernel.bounds is not None else []
    size = size_of(cuda, said[0]) if said else None
    return size.value if size is not None else None


def _no_bounds(cuda: CudaText, kernel: Kernel) -> Iterator[Hint]:
    blocks = [block_of(cuda, launch) for launch in cuda.launches_of(kernel)]
    threads = [prod(one.value for one in block) for block in blocks if block is not None]
    if kernel.bounds is None and threads and len(threads) == len(blocks) and max(threads) < MOST_THREADS:
        most = max(threads)
        at_most = "" if len({*threads}) == 1 else "at most "
        text = (
            f"Every launch in this file has {at_most}{most} threads a block, and the "
            f"compiler is not told: with __launch_bounds__({most}) it gives out registers for them. Not measured."
        )
        yield _at_name(cuda, kernel, "cuda-launch-bounds", text)


def _no_restrict(cuda: CudaText, kernel: Kernel) -> Iterator[Hint]:
    """A pointer without `__restrict__` that the kernel reads, beside one of the same type that it may write."""
    pointers = [one for one in kernel.parameters if one.pointer and not one.restrict]
    written = [one for one in pointers if not one.constant and _is_stored_to(cuda, kernel, one)]
    read = [
        (one, other)
        for one in pointers
        if one.constant and cuda.variables_in(kernel.body, one.name)
        if (other := next((to for to in written if _may_overlap(_type(cuda, one), _type(cuda, to))), None)) is not None
    ]
    if read:
        (first, other), names = read[0], [one.name for one, _ in read]
        text = (
            f"As far as the compiler knows, {_listed(names)} may overlap {other.name}: what was read may have to be "
            f"read again after a store. Where they never do, {'each' if len(names) > 1 else 'it'} can be "
            f"const {_type(cuda, first)}* __restrict__, and {other.name} __restrict__ too. Not measured."
        )
        yield _at_name(cuda, kernel, "cuda-restrict", text)


def _narrow(cuda: CudaText, kernel: Kernel) -> Iterator[Hint]:
    """`x[i]` where i is the thread's number: neighbours in memory, one element for each thread."""
    said = {_packed(cuda.said(node)) for node in below(kernel.body) if node.type in _NUMBERING}
    indices = {name for name, _, value in (one.partition("=") for one in said) if value in THREAD}
    bytes_each = {
        one.name: size
        for one in kernel.parameters
        if one.pointer and (size := BYTES.get(_type(cuda, one), VECTOR)) < VECTOR
        if {f"{one.name}[{index}]" for index in indices} & said
    }
    if bytes_each:
        size = min(bytes_each.values())
        names = _listed([name for name, each in bytes_each.items() if each == size])
        text = (
            f"Each thread moves one element of {names} at a time, {size} byte{'s' * (size != 1)} of the {VECTOR} that "
            "one instruction can move. Vector types take fewer instructions, where address and length are multiples "
            f"of {VECTOR} bytes. Not measured."
        )
        yield _at_name(cuda, kernel, "cuda-vector-width", text)


_NUMBERING = ("init_declarator", "assignment_expression", "subscript_expression")


def _at_name(cuda: CudaText, kernel: Kernel, code: str, text: str) -> Hint:
    return Hint(cuda.start(kernel.identifier), len(kernel.name), code, text)


def _type(cuda: CudaText, parameter: Parameter) -> str:
    node = parameter.node.child_by_field_name("type")
    return " ".join(cuda.said(node).split()) if node is not None else ""


def _is_stored_to(cuda: CudaText, kernel: Kernel, parameter: Parameter) -> bool:
    """Through `name[...]` or `*name`."""
    return any(_is_assigned(one) for one in cuda.variables_in(kernel.body, parameter.name))


def _is_assigned(identifier: Node) -> bool:
    element, around = identifier, identifier.parent
    while around is not None and around.type in ("subscript_expression", "pointer_expression"):
        if around.named_children[0] != element:
            return False  # an index
        element, around = around, around.parent
    if around is None or element == identifier or around.type != "assignment_expression":
        return False
    return around.child_by_field_name("left") == element


def _packed(text: str) -> str:
    return "".join(text.split())


def _may_overlap(one: str, other: str) -> bool:
    """By C++'s rules: pointers to different types do not, unless one is to bytes."""
    return one == other or bool({one, other} & ALIASES_ALL)


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _range(lines: Sequence[str], hint: Hint) -> types.Range:
    starts = [0, *accumulate(map(len, lines[:-1]))]
    line = bisect_right(starts, hint.place) - 1
    column = hint.place - starts[line]
    return types.Range(types.Position(line, column), types.Position(line, column + hint.length))
