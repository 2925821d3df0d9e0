"""cuda-restrict: pointers of a CUDA kernel that are only read become `const T* __restrict__`, and what is written is
said to be nothing else's, where the launches in the same text show that it is."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass
from outpace_optimizers.cuda.restricting import RULE as ID
from outpace_optimizers.cuda.restricting import restricted

from .cuda_texts import proposals


class CudaRestrict:
    id = ID
    title = "Tell the CUDA compiler which pointers do not overlap"
    claimed_class: NumericsClass = "exact"
    page = "docs/rules/cuda-restrict.md"
    needs_cuda = True

    def propose(self, code: Code) -> Iterator[Idea]:
        for title, patch in proposals(code, restricted):
            why = "what is read may stay in registers across writes, and goes through the read-only cache"
            yield Idea(self.id, title, why, self.claimed_class, patch)


RULE = CudaRestrict()
