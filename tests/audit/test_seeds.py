"""Seeds: committed to before, revealed after, and nothing else fits."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import replace

import pytest

from outpace_audit.seeds import SeedSource, problem_with


def test_every_draw_follows_from_the_revealed_root_by_the_documented_formula() -> None:
    source = SeedSource()
    committed = source.commitment
    seeds = [source.seed("call") for _ in range(3)]
    revealed = source.revealed()
    root = bytes.fromhex(revealed.root)
    assert hashlib.sha256(root).hexdigest() == committed == revealed.commitment
    assert seeds == [
        int(hmac.new(root, f"call:{n}".encode(), "sha256").hexdigest(), 16) >> (256 - 61) for n in range(3)
    ]
    assert revealed.draws == {"call": 3}


def test_no_two_audits_and_no_two_purposes_share_a_seed() -> None:
    first, second = SeedSource(), SeedSource()
    drawn = [source.seed(purpose) for source in (first, second) for purpose in ("call", "sample", "call")]
    assert len(set(drawn)) == 6
    assert all(0 <= seed < 2**61 for seed in drawn)


def test_orders_and_choices_are_uniform() -> None:
    source = SeedSource()
    orders = Counter("".join(source.shuffled("order", "abc")) for _ in range(1200))
    assert len(orders) == 6
    assert min(orders.values()) > 130  # 200 expected; 5.4 standard deviations
    assert {source.below("keep", 4) for _ in range(100)} == {0, 1, 2, 3}


def test_what_does_not_fit_the_commitment_is_named() -> None:
    source = SeedSource()
    window = source.seed("window")
    revealed = source.revealed()
    assert problem_with(revealed, [window]) == ""
    assert "never drawn" in problem_with(revealed, [window, window + 1])
    assert "never drawn" in problem_with(replace(revealed, draws={}), [window])
    assert "changed after the fact" in problem_with(replace(revealed, root=SeedSource().revealed().root), [window])
    assert "no hexadecimal" in problem_with(replace(revealed, root="xyz"), [])


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_shuffle_loses_nothing(n: int) -> None:
    assert sorted(SeedSource().shuffled("order", range(n))) == list(range(n))
