"""Inputs that a call updates, put back in timed windows, so that every timed call finds what its seed drew.

On both sides alike, and in the windows that measure the harness too, each call is preceded by one copy: over the inputs
of the set that comes a quarter of a round later (AHEAD). Not its own, which would bring them to the call fresh from
the cache while all others have been away for a round; and not sooner, because three quarters of a round with calls in
it touch at least as much memory as a round without: the copy that the harness is measured by is never the dearer one,
and what is subtracted never too much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from outpace_audit.call_inputs import tensors_of
from outpace_audit.tensors import Leaf, written_once

AHEAD = 4
"""A set is put back the number of sets divided by this before its call."""


class Restorer:
    """Of argument sets as they were drawn. `updated`: which of their tensors a call writes to; with none it does
    nothing."""

    def __init__(self, sets: Sequence[Sequence[Any]], updated: Sequence[int]) -> None:
        self._updated = updated
        self._tensors = [[tensors_of(arguments)[i] for i in updated] for arguments in sets]
        self._by_dtype = [list(_copies(tensors)) for tensors in self._tensors]
        self._ahead = 0 if len(sets) == 1 else max(1, len(sets) // AHEAD)

    def updated(self, k: int) -> list[Leaf]:
        """The updated inputs of set `k`, as they are now."""
        return [updated_input(i, tensor) for i, tensor in zip(self._updated, self._tensors[k], strict=True)]

    def before(self, call: int) -> None:
        """What precedes a call of a window that began with all sets as drawn."""
        self._put_back([(call + self._ahead) % len(self._tensors)])

    def before_in_pass(self, k: int) -> None:
        """The same for a pass over all sets that is repeated and leaves each as its call did: the first sets are put
        back as it begins."""
        first = range(self._ahead) if k == 0 else ()
        self._put_back([*first, *([k + self._ahead] if k + self._ahead < len(self._tensors) else [])])

    def all(self) -> None:
        self._put_back(range(len(self._tensors)))

    def _put_back(self, sets: Iterable[int]) -> None:
        if not self._updated:
            return
        with torch.no_grad():
            for k in sets:
                for places, originals in self._by_dtype[k]:
                    torch._foreach_copy_(  # pyright: ignore[reportPrivateUsage]  # one launch for all inputs
                        places, originals
                    )


def _copies(tensors: Sequence[torch.Tensor]) -> Iterator[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Places and what belongs there, for each type: only within one is there a single launch."""
    groups: defaultdict[torch.dtype, list[torch.Tensor]] = defaultdict(list)
    for tensor in tensors:
        groups[tensor.dtype].append(written_once(tensor))
    for places in groups.values():
        yield places, [place.clone() for place in places]


def updated_input(i: int, tensor: torch.Tensor) -> Leaf:
    return Leaf(f"input {i}, updated", tensor)
