"""The law of a captured tensor: what `capture.statistics` says of its values, as a recipe for others like them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from outpace_audit.records import Law

PADDED = 0.02
"""A whole number apart from all others that makes up at least this share is a mark, such as an ignored label."""
EVENLY = 0.03
"""Values whose spread is within this of an even distribution's, and whose mean is its middle, are even."""

Statistics = Mapping[str, Any]


def law_of(samples: Sequence[Statistics], dtype: str) -> Law:
    """`samples` of one tensor over calls of one workload."""
    seen = [sample for sample in samples if sample.get("count")]
    if dtype == "bool":
        return _bool_law(seen)
    if "float" in dtype or "complex" in dtype:
        return _float_law(seen)
    return _integer_law(seen)


def varies(law: Law) -> bool:
    """Whether two draws differ."""
    if law.kind == "choice":
        return "," in str(law.params["values"])
    if law.kind in ("integers", "sorted_integers"):
        return float(law.params["high"]) - float(law.params["low"]) > 1 or "padding" in law.params
    if law.kind == "bernoulli":
        return 0 < float(law.params["p"]) < 1
    return law.kind not in ("fixed", "arange", "causal")


def _lengths_law(seen: Sequence[Statistics]) -> Law | None:
    """Of the mask of padded sequences. A call without padding, beside others with some, is one of whole rows."""
    found = [sample["lengths"] for sample in seen if sample.get("lengths")]
    plain = [(sample.get("min"), sample.get("max")) for sample in seen if not sample.get("lengths")]
    if not found or len({tuple(one[:2]) for one in found}) > 1:
        return None
    first, rest = map(float, found[0][:2])
    if not set(plain) <= {(first, first), (rest, rest)}:
        return None
    all_first, all_rest = (
        float(any(one[2 + i] for one in found) or (end, end) in plain) for i, end in enumerate((first, rest))
    )
    return Law("lengths", {"first": found[0][0], "rest": found[0][1], "all_first": all_first, "all_rest": all_rest})


def _bool_law(seen: Sequence[Statistics]) -> Law:
    if _always(seen, "causal"):
        kept = max(s["mean"] for s in seen) > 0.5  # the diagonal goes with what is below it
        return Law("causal", {"low": float(not kept), "keep": float(kept)})
    if (lengths := _lengths_law(seen)) is not None:
        return lengths
    return Law("bernoulli", {"p": _mean(seen, "mean", 0.5)})


def _float_law(seen: Sequence[Statistics]) -> Law:
    known = [sample for sample in seen if "mean" in sample]
    if not known:
        return Law("normal")
    if all("distinct" in sample for sample in seen):
        return _mask_law(seen)
    if _always(seen, "rows_sum_to_one"):
        return Law("softmax")
    low, high = min(s["min"] for s in known), max(s["max"] for s in known)
    mean = _mean(known, "mean", 0.0)
    std = math.sqrt(_mean([{"square": s["std"] ** 2} for s in known], "square", 1.0))
    width = high - low
    even = abs(std * math.sqrt(12) - width) <= EVENLY * width and abs(mean - (low + high) / 2) <= EVENLY * width
    if even and all(s["count"] >= 64 for s in known):
        return Law("uniform", {"low": low, "high": high})
    return Law("normal", {"mean": mean, "std": std, "low": low, "high": high})


def _mask_law(seen: Sequence[Statistics]) -> Law:
    shares: dict[str, float] = {}
    for sample in seen:
        for value, share in sample["distinct"]:
            shares[value] = shares.get(value, 0.0) + share / len(seen)
    if len(shares) == 2 and _always(seen, "causal"):
        keep, low = sorted(shares, key=lambda value: -shares[value])
        return Law("causal", {"low": low, "keep": keep})
    return _lengths_law(seen) or Law(
        "choice", {"values": ",".join(shares), "shares": ",".join(map(repr, shares.values()))}
    )


def _integer_law(seen: Sequence[Statistics]) -> Law:
    if not seen:
        return Law("integers", {"low": 0, "high": 1})
    low, high = min(s["min"] for s in seen), max(s["max"] for s in seen) + 1
    if _always(seen, "arange"):
        return Law("arange")
    if len(seen) > 1 and len({s.get("hash") for s in seen}) == 1 and "values" in seen[0]:
        return Law("fixed", {"values": ",".join(map(str, seen[0]["values"]))})
    if _always(seen, "permutation"):
        return Law("permutation")
    if (lengths := _lengths_law(seen)) is not None:
        return lengths
    if _always(seen, "sorted"):
        return Law("sorted_integers", {"low": low, "high": high})
    others = min(s.get("next_min", low) for s in seen)
    share = _mean(seen, "at_min", 0.0)
    if others > low + 1 and share >= PADDED and all(s["min"] == low for s in seen):
        return Law("integers", {"low": others, "high": high, "padding": low, "share": share})
    return Law("integers", {"low": low, "high": high})


def _always(seen: Sequence[Statistics], name: str) -> bool:
    return bool(seen) and all(sample.get(name) for sample in seen)


def _mean(seen: Sequence[Statistics], name: str, default: float) -> float:
    return sum(s[name] for s in seen) / len(seen) if seen else default
