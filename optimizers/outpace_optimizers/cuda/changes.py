"""What can be made of a CUDA text that stands in no Python file, such as a `.cu` file in an editor."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_optimizers.cuda.bounds import bounded
from outpace_optimizers.cuda.change import Change, TextEdit, changed
from outpace_optimizers.cuda.parsing import CudaText, parsed
from outpace_optimizers.cuda.restricting import restricted


def changes(text: str) -> Iterator[Change]:
    """What the rules for CUDA would change in it, kernel by kernel, at most one edit of each kind."""
    cuda = parsed(text)
    yield from restricted(cuda)
    yield from bounded(cuda)


__all__ = ["Change", "CudaText", "TextEdit", "bounded", "changed", "changes", "parsed", "restricted"]
