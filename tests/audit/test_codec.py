"""Records to JSON and back: what is right comes back equal, what is wrong is named with its place."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import pytest

from outpace_audit.codec import WrongField, decode, plain
from outpace_audit.records import ArgSpec, Check, Code, Law, Machine, Timing, Workload
from outpace_audit.samples import Window

WORKLOAD = Workload(
    "n=3", "laws", "benchmark",
    (ArgSpec("x", (3, 4), "float32", Law("normal", {"mean": 0.0, "std": 1.0})), ArgSpec("flag", value=True),
     ArgSpec("count", value=3), ArgSpec("scale", value=0.5), ArgSpec("reduction", value="inf"), ArgSpec("none")),
    axes={"n": 3}, shrunk_from={"n": 300},
)  # fmt: skip


def through_json(record: Any) -> Any:
    return json.loads(json.dumps(plain(record), allow_nan=False))


@pytest.mark.parametrize(
    "record",
    [
        WORKLOAD,
        Code("/a.py", "x = 1\n", "x", "function"),
        Machine("cpu", "C", "", "C", 2, "3.11", "2.13", None, None, None, {"peak_bytes_per_s": 1e9}),
        Timing("w", 1.5, (1.2, math.inf), 0.98, 7, 1e-3, 9e-4, "as-called", (0.1, 0.2)),
        Check("c", "L2", False, "text", "limit", {"ratio": 3, "list": [1, {"a": None}]}),
    ],
)
def test_records_come_back_equal(record: Any) -> None:
    assert decode(type(record), through_json(record)) == record
    assert decode(type(record), asdict(record)) == record


def test_what_is_no_number_comes_back() -> None:
    back = decode(Window, through_json(Window(1, "baseline", (1.0, 2.0), (math.nan, -math.inf))))
    assert math.isnan(back.claimed[0])
    assert back.claimed[1] == -math.inf


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": 3}, "label: must be text, not 3"),
        ({"maker": "magic"}, "maker: must be one of laws, .* not 'magic'"),
        ({"axes": []}, "axes: must be an object"),
        ({"axes": {"n": 1.5}}, "axes.n: must be a whole number, not 1.5"),
        ({"axes": {"n": True}}, "axes.n: must be a whole number, not True"),
        ({"args": [{"name": "x", "shape": [3, "4"]}]}, r"args\[0\].shape\[1\]: must be a whole number"),
        ({"args": [{}]}, r"args\[0\].name: missing"),
        ({"colour": 1}, "colour: unknown field"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongField, match=said):
        decode(Workload, through_json(WORKLOAD) | change)


def test_pairs_have_two_entries_and_records_are_objects() -> None:
    with pytest.raises(WrongField, match=r"interval: must have 2 entries, not 3"):
        decode(
            Timing, through_json(Timing("w", 1.5, (1.2, 1.4), 0.98, 7, 1e-3, 9e-4, "graph")) | {"interval": [1, 2, 3]}
        )
    with pytest.raises(WrongField, match="Timing: must be an object"):
        decode(Timing, [])
