"""cuda-launch-bounds: a kernel says how many threads its launches have at most, where their text tells."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass
from outpace_optimizers.cuda.bounds import RULE as ID
from outpace_optimizers.cuda.bounds import bounded

from .cuda_texts import proposals


class CudaLaunchBounds:
    id = ID
    title = "Give CUDA kernels the number of threads that they are launched with"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/cuda-launch-bounds.md"
    needs_cuda = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for title, patch in proposals(code, bounded):
            why = "the compiler knows with how many registers how many blocks fit on a multiprocessor"
            yield Idea(self.id, title, why, self.claimed_class, patch)


RULE = CudaLaunchBounds()
