from __future__ import annotations

from outpace_optimizers.costs import Stopwatch
from outpace_optimizers.records import Asked


class Now:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def test_time_belongs_to_the_level_that_it_led_to_and_waiting_to_none() -> None:
    now = Now()
    watch = Stopwatch(now)
    steps = (
        (1.0, "commitment", "hash"), (1.0, "check", {"level": "L0"}), (5.0, "check", {"level": "L1"}),
        (2.0, "check", {"level": "L2"}), (0.5, "waiting", "for the device"), (50.0, "waiting", "for another"),
        (30.0, "stage", "timing"), (10.0, "pair", {}), (10.0, "pair", {}), (1.0, "check", {"level": "L4"}),
    )  # fmt: skip
    for seconds, kind, payload in steps:
        now.s += seconds
        watch.hear(kind, payload)
    now.s += 3.0
    cost = watch.cost(Asked(7.0, 1100, 0.01))
    assert cost.stages == {"L0": 2.0, "L1": 5.0, "L2": 2.5, "L4": 24.0}
    assert (cost.judged_s, cost.waited_s, cost.asked.tokens) == (33.5, 80.0, 1100)
    assert sum(cost.stages.values()) == cost.judged_s
