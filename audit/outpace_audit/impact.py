"""Which inputs a call cannot do without: those of which a small secret part, wherever it lies, changes the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit.inputs import InputMaker
from outpace_audit.perturbation import Perturbation
from outpace_audit.subject import Subject
from outpace_audit.tensors import Leaf, same_bytes

TRIES = 2
"""An input whose every tried slice matters is read nearly whole; a table that is gathered from is not."""

FIXED_TRIES, FIXED_S = 16, 2.0
"""A grid of two sizes bears every second draw of other ones."""


def needed_bytes(subject: Subject, maker: InputMaker, seed: int) -> dict[str, Any]:
    """Bytes of all outputs, and of the floating inputs that are needed whole, in one forward call; and which inputs the
    call raises on where integers are others of the same tensor: `fixed`."""
    arguments = maker.make(seed)
    tensors = [leaf for leaf in tree_leaves(arguments) if isinstance(leaf, torch.Tensor)]
    originals = [tensor.detach().clone() for tensor in tensors]

    def put_back() -> None:
        """The slice that was changed, and what the call itself updates."""
        for tensor, original in zip(tensors, originals, strict=True):
            if not same_bytes(tensor, original):
                tensor.detach().copy_(original)

    before = _outputs(subject, arguments)
    put_back()
    needed, fixed = set(range(len(tensors))), _fixed(subject, arguments, put_back, seed)
    for attempt in range(TRIES):
        perturbation = Perturbation(arguments, seed + attempt, spreads=False, fixed=fixed)
        slices, values = perturbation.slices(arguments, seed + attempt), perturbation.banks(seed + attempt, 1)
        needed &= set(perturbation.chosen)
        for i, place, value in zip(perturbation.chosen, slices, values, strict=True):
            place.copy_(_apart(place, tensors[i]) if value.is_floating_point() else value)
            changed = _outputs(subject, arguments)
            put_back()
            if all(same_bytes(a.value, b.value) for a, b in zip(before, changed, strict=True)):
                needed.discard(i)
    return {
        "output_bytes": sum(map(_bytes, (leaf.value for leaf in before))),
        "input_bytes": sum(_bytes(tensors[i]) for i in needed),
        "fixed": sorted(fixed),
    }


def _fixed(subject: Subject, arguments: list[Any], put_back: Callable[[], None], seed: int) -> set[int]:
    """Sizes, places and the like among integers that are all there is to change: the call raises on others of them."""
    fixed, until = set[int](), time.monotonic() + FIXED_S
    for attempt in range(FIXED_TRIES):
        perturbation = Perturbation(arguments, seed + attempt, spreads=False, fixed=fixed)
        slices, values = perturbation.slices(arguments, seed + attempt), perturbation.banks(seed + attempt, 1)
        if all(value.is_floating_point() for value in values) or (attempt >= TRIES and time.monotonic() > until):
            break
        for i, place, value in zip(perturbation.chosen, slices, values, strict=True):
            place.copy_(value)
            try:
                _outputs(subject, arguments)
                put_back()
            except Exception:  # whatever the user's code raises
                put_back()
                _outputs(subject, arguments)  # raises again where more than this call is lost, such as CUDA's context
                put_back()
                fixed.add(i)
    return fixed


def _apart(place: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """Of the least and the greatest element of `tensor`, the one that is farther from each of the slice's: another
    value, and one that the input may hold, such as a probability."""
    low, high = tensor.detach().aminmax()
    return torch.where(place - low > high - place, low, high)


def _outputs(subject: Subject, arguments: list[Any]) -> list[Leaf]:
    with torch.no_grad():
        subject.reseed(0)
        return [Leaf(leaf.path, leaf.value.clone()) for leaf in subject.run(arguments, None).tensors()]


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
