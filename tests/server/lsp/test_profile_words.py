"""What a hover says a function could gain."""

from __future__ import annotations

from outpace_optimizers.profiles.annotations import Limit
from outpace_server.lsp.profile_words import bound


def test_without_a_roofline_it_is_amdahls_bound() -> None:
    assert bound(1.667, None, worth_it=True) == "if it took no time, a step would be 1.67× as fast"
    assert bound(None, None, worth_it=True) == "it is the whole step"


def test_with_one_it_is_the_machines_limit() -> None:
    said = bound(1.004, Limit("memory", 1.02), worth_it=False)
    assert said.startswith("memory-bound, at most 1.02× as fast by its roofline; a step would then be 1.00× as fast")
    assert said.endswith(": not worth a GPU second")
