"""What can be said of a CUDA source without running it: launches that fail, and what the compiler is not told.

Nothing of it is measured, and it says so; there is no edit, because what is not audited is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types
from pygls.workspace import TextDocument

from outpace_server.lsp.client_features import ClientFeatures
from outpace_server.lsp.cuda_text import Kernel, kernels_of
from outpace_server.lsp.publishing import SEVERITIES, SOURCE
from outpace_server.lsp.settings import Severity

PAGE = "https://github.com/outpace-dev/outpace/blob/main/docs/editor.md#cuda-sources"
MOST_THREADS = 1024
"""Of a block, on every GPU from compute capability 2.0 to 12 (CUDA programming guide, technical specifications)."""
VECTOR = 16
"""Bytes: the most that one load or store of a thread moves, up to compute capability 9.0."""
BYTES = {
    "double": 8, "float": 4, "int": 4, "unsigned": 4, "unsigned int": 4, "int32_t": 4, "uint32_t": 4,
    "half": 2, "__half": 2, "at::Half": 2, "c10::Half": 2,
    "__nv_bfloat16": 2, "nv_bfloat16": 2, "at::BFloat16": 2, "c10::BFloat16": 2,
    "char": 1, "signed char": 1, "unsigned char": 1, "int8_t": 1, "uint8_t": 1,
}  # fmt: skip
ALIASES_ALL = frozenset({"char", "unsigned char", "signed char", "int8_t", "uint8_t", "void", "std::byte"})
_THREAD = (
    r"(?:blockIdx\.x\s*\*\s*blockDim\.x|blockDim\.x\s*\*\s*blockIdx\.x)\s*\+\s*threadIdx\.x",
    r"threadIdx\.x\s*\+\s*(?:blockIdx\.x\s*\*\s*blockDim\.x|blockDim\.x\s*\*\s*blockIdx\.x)",
)
_INDEX = re.compile(rf"\b(?P<name>\w+)\s*=\s*(?:{'|'.join(_THREAD)})\s*;")


@dataclass(frozen=True, slots=True)
class Hint:
    """On `length` characters from `place`. `fails`: not a matter of speed."""

    place: int
    length: int
    code: str
    text: str
    fails: bool = False


def hints_in(text: str) -> Iterator[Hint]:
    for kernel in kernels_of(text):
        yield from _launches_that_fail(kernel)
        yield from _no_bounds(kernel)
        yield from _no_restrict(kernel)
        yield from _narrow(kernel)


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


def _launches_that_fail(kernel: Kernel) -> Iterator[Hint]:
    for launch in kernel.launches or ():
        threads = launch.threads or 0
        if threads > MOST_THREADS:
            text = f"This launch fails: a block has at most {MOST_THREADS:,} threads, not {threads:,}."
        elif kernel.bounds and threads > kernel.bounds:
            text = (
                f"This launch fails: its {threads:,} threads are more than __launch_bounds__({kernel.bounds}) allows."
            )
        else:
            continue
        yield Hint(launch.place, len(kernel.name), "cuda-launch-fails", text, fails=True)


def _no_bounds(kernel: Kernel) -> Iterator[Hint]:
    threads = [launch.threads for launch in kernel.launches or ()]
    known = [one for one in threads if one is not None]
    if kernel.bounds == 0 and known and len(known) == len(threads) and max(known) < MOST_THREADS:
        most = max(known)
        text = (
            f"Every launch in this file has {'' if len({*known}) == 1 else 'at most '}{most} threads a block, and the "
            f"compiler is not told: with __launch_bounds__({most}) it gives out registers for them. Not measured."
        )
        yield Hint(kernel.place, len(kernel.name), "cuda-launch-bounds", text)


def _no_restrict(kernel: Kernel) -> Iterator[Hint]:
    """A pointer without `__restrict__` that the kernel reads, beside one of the same type that it may write."""
    written = [one for one in kernel.pointers if not one.constant and not one.restrict and _stored(kernel, one.name)]
    read = [
        (one, other)
        for one in kernel.pointers
        if one.constant and not one.restrict and re.search(rf"\b{one.name}\b", kernel.body)
        if (other := next((to for to in written if _may_overlap(one.type, to.type)), None)) is not None
    ]
    if read:
        (first, other), names = read[0], [one.name for one, _ in read]
        text = (
            f"As far as the compiler knows, {_listed(names)} may overlap {other.name}: what was read may have to be "
            f"read again after a store. Where they never do, {'each' if len(names) > 1 else 'it'} can be "
            f"const {first.type}* __restrict__, and {other.name} __restrict__ too. Not measured."
        )
        yield Hint(kernel.place, len(kernel.name), "cuda-restrict", text)


def _narrow(kernel: Kernel) -> Iterator[Hint]:
    """`x[i]` where i is the thread's number: neighbours in memory, one element for each thread."""
    indices = {found["name"] for found in _INDEX.finditer(kernel.body)}
    narrow = [
        one
        for one in kernel.pointers
        if BYTES.get(one.type, VECTOR) < VECTOR
        and any(re.search(rf"\b{one.name}\s*\[\s*{index}\s*\]", kernel.body) for index in indices)
    ]
    if narrow:
        size = min(BYTES[one.type] for one in narrow)
        names = _listed([one.name for one in narrow if BYTES[one.type] == size])
        text = (
            f"Each thread moves one element of {names} at a time, {size} byte{'s' * (size != 1)} of the {VECTOR} that "
            "one instruction can move. Vector types take fewer instructions, where address and length are multiples "
            f"of {VECTOR} bytes. Not measured."
        )
        yield Hint(kernel.place, len(kernel.name), "cuda-vector-width", text)


def _stored(kernel: Kernel, name: str) -> bool:
    """Through `name[...]` or `*name`."""
    place = rf"\b{name}\s*\[[^\[\];]*(?:\[[^\[\];]*\][^\[\];]*)*\]|\*\s*{name}\b"
    return re.search(rf"(?:{place})\s*(?:[-+*/%|&^]|<<|>>)?=(?!=)", kernel.body) is not None


def _may_overlap(one: str, other: str) -> bool:
    """By C++'s rules: pointers to different types do not, unless one is to bytes."""
    return one == other or bool({one, other} & ALIASES_ALL)


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _range(lines: Sequence[str], hint: Hint) -> types.Range:
    line, before = 0, 0
    while line < len(lines) - 1 and before + len(lines[line]) <= hint.place:
        before += len(lines[line])
        line += 1
    column = hint.place - before
    return types.Range(types.Position(line, column), types.Position(line, column + hint.length))
