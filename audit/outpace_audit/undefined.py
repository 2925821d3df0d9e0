"""Where a call's first NaN comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit.tensors import is_inexact

OF_INFINITIES = "infinities"


def made_undefined(func: Any, given: Iterable[Any], result: Any) -> str:
    """The operator's name where it makes the first NaN, or OF_INFINITIES where it does so of infinite arguments, as a
    softmax does where all is masked; nothing where its results are numbers."""
    results = [one for one in tree_leaves(result) if isinstance(one, torch.Tensor) and is_inexact(one)]
    if not any(bool(torch.isnan(one).any()) for one in results):
        return ""
    floats = [one for one in tree_leaves(given) if isinstance(one, torch.Tensor) and is_inexact(one)]
    finite = all(bool(torch.isfinite(one).all()) for one in floats)
    return func._schema.name.rpartition("::")[2].removesuffix("_") if finite else OF_INFINITIES
