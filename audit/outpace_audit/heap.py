"""The C heap of an arm: memory stays in the process, and chance decides anew before each window where blocks lie.

glibc's choice of a block depends on every allocation before it. Left alone, each side keeps for its whole life the
places that its own history gave it. On a machine whose cache just holds one call's data this made identical code 25%
slower on one side, in every pair of a run; see docs/audit.md, "How time is measured".
"""

from __future__ import annotations

import ctypes
import random

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_HEAP_BLOCK = 32 << 20
"""glibc's own upper bound; larger blocks are mapped anew in every call, on both sides alike."""

TOUCHED_BYTES = 128 << 20
"""Written to once at the start, so that timed windows meet no page for the first time. On a virtual machine that
costs a fault in the host too."""

BLOCKS = (8, 64)
LOG2_BYTES = (12.0, 22.0)
"""How many blocks are placed, and how large: from a page to a tensor that just overflows a core's cache. They are never
written to, so they take addresses and no memory."""


class Heap:
    """This process's heap; does nothing where the C library is not glibc."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self._glibc = libc if hasattr(libc, "mallopt") else None
        self._chance = random.SystemRandom()
        self._held: list[int] = []
        if self._glibc is not None:
            self._glibc.malloc.restype = ctypes.c_void_p
            self._glibc.malloc.argtypes = [ctypes.c_size_t]
            self._glibc.free.argtypes = [ctypes.c_void_p]

    def keep_memory(self) -> None:
        """Freed memory stays in this process. glibc gives memory at the top of its heap back to the kernel, and whether
        a call's outputs lie there is luck; the page faults made about one process in ten up to five times slower."""
        if self._glibc is not None:
            self._glibc.mallopt(M_MMAP_THRESHOLD, LARGEST_HEAP_BLOCK)
            self._glibc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
            size = LARGEST_HEAP_BLOCK // 4
            blocks = [self._glibc.malloc(size) for _ in range(TOUCHED_BYTES // size)]
            for block in blocks:
                ctypes.memset(block, 0, size)
            for block in blocks:
                self._glibc.free(block)

    def shuffle(self) -> None:
        """Places random blocks and frees most of them, in random order: the next large allocations land elsewhere."""
        if self._glibc is None:
            return
        for block in self._held:
            self._glibc.free(block)
        count = self._chance.randrange(*BLOCKS)
        blocks = [self._glibc.malloc(int(2 ** self._chance.uniform(*LOG2_BYTES))) for _ in range(count)]
        self._chance.shuffle(blocks)
        kept = self._chance.randrange(count // 2)
        for block in blocks[kept:]:
            self._glibc.free(block)
        self._held = blocks[:kept]
