"""The rule rates-to-zero: which rates steps are taken with, in scripts that are run before and after."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.training_rules.registry import load_training_rules, training_ideas
from script_runs import printed

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).parent / "golden_training/rates-to-zero"
WHOLE = ("epochs", "seconds")
"""Without a schedule of their own."""
ENDS = ("nanogpt_style", "step_lr", "unnumbered")
RULES = {rule.id: rule for rule in load_training_rules()[0]}


@pytest.fixture
def rates() -> Any:
    """Of every step that an optimizer takes; and those that stand in its groups behind it."""
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    found: list[float] = []
    hook = register_optimizer_step_pre_hook(lambda optimizer, *_: found.append(float(optimizer.param_groups[0]["lr"])))
    yield found
    hook.remove()


def stepped(kind: str, side: str, folder: Path, rates: list[float]) -> list[float]:
    rates.clear()
    printed(GOLDEN / kind / f"{side}.py", folder / side)
    return list(rates)


@pytest.mark.parametrize("kind", WHOLE)
def test_constant_rates_rise_stay_and_fall(
    kind: str, tmp_path: Path, rates: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count()
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock) / 1000)
    (rate,) = set(stepped(kind, "before", tmp_path, rates))
    after = stepped(kind, "after", tmp_path, rates)
    top = after.index(max(after))
    assert rate / 10 <= after[0] < 0.6 * rate and max(after) == pytest.approx(rate)
    assert after[:top] == sorted(after[:top]) and after[top:] == sorted(after[top:], reverse=True)
    assert after[-1] < 0.15 * rate
    if kind == "epochs":  # the last of 16 steps: a sixteenth of the run is left, and an eighth of the way down
        assert after[-1] == pytest.approx(rate / 8)


@pytest.mark.parametrize("kind", ENDS)
def test_a_schedule_is_left_as_it_is_until_its_end(kind: str, tmp_path: Path, rates: list[float]) -> None:
    before = stepped(kind, "before", tmp_path, rates)
    after = stepped(kind, "after", tmp_path, rates)
    assert len(before) == len(after)
    kept = int(0.7 * len(before))
    assert after[:kept] == pytest.approx(before[:kept])
    assert after[-1] < 0.2 * before[-1]
    assert all(new < old for old, new in zip(before[kept + 1 :], after[kept + 1 :], strict=True))


def edited(text: str) -> str:
    found = training_ideas("script.py", text, [RULES["rates-to-zero"]])
    assert not found.troubles
    return found.ideas[0].patch.new_source if found.ideas else found.reasons["rates-to-zero"]


SCRIPT = """import math
import torch
STEPS = 30
{more}
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
{made}for step in {loop}:
    {rate}
    loss = model(torch.randn(8, 3)).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    {last}
"""


def script(rate: str = "", made: str = "", more: str = "", loop: str = "range(STEPS)", last: str = "") -> str:
    rate = f"for group in optimizer.param_groups: group['lr'] = {rate}" if rate else "pass"
    return SCRIPT.format(rate=rate, made=made, more=more, loop=loop, last=last)


COOLING = """def cooling(step, total=STEPS):
    done = step / total
    if done < 0.5:
        return 1.0
    return 2 * (1 - done){end}
"""
FLAG = """import argparse
parser = argparse.ArgumentParser()
parser.add_argument('--steps', default=30)
args = parser.parse_args()
"""
TORCH = "schedule = torch.optim.lr_scheduler."


@pytest.mark.parametrize(
    ("text", "falls"),
    [
        (script("1 - step / STEPS"), True),
        (script("max(0.1, 1 - step / STEPS)"), False),
        (script("1 - step / 30"), True),
        (script("1 - step / 60"), False),
        (script("1 - step / args.steps", more=FLAG, loop="range(args.steps)"), True),
        (script("1 - step / 30", more=FLAG, loop="range(args.steps)"), False),
        (script("cooling(step)", more=COOLING.format(end="")), True),
        (script("cooling(step, total=90)", more=COOLING.format(end="")), False),
        (script("cooling(step)", more=COOLING.format(end=" + 0.1")), False),
        (script("math.cos(step / STEPS * math.pi / 2) ** 2"), True),
        (script("1 - step / STEPS", loop="range(STEPS - 10)"), False),
        (script(made=TORCH + "CosineAnnealingLR(optimizer, STEPS)\n", last="schedule.step()"), True),
        (script(made=TORCH + "CosineAnnealingLR(optimizer, STEPS, eta_min=1e-3)\n", last="schedule.step()"), False),
        (script(made=TORCH + "CosineAnnealingLR(optimizer, T_max=500)\n", last="schedule.step()"), False),
        (script(made=TORCH + "LinearLR(optimizer, 1.0, 0.0, STEPS)\n", last="schedule.step()"), True),
        (script(made=TORCH + "LinearLR(optimizer, 0.1)\n", last="schedule.step()"), False),
        (script(made=TORCH + "StepLR(optimizer, 10)\n", last="schedule.step()"), False),
        (script(made=TORCH + "SequentialLR(optimizer, parts, [3])\n", last="schedule.step()"), None),
    ],
)  # fmt: skip
def test_whether_a_schedule_reaches_zero_is_reckoned(text: str, falls: bool | None) -> None:
    """None: it can't be told, and so nothing is proposed."""
    found = edited(text)
    assert ("falls to zero already" in found) == (falls is True)
    assert ("can't be told" in found) == (falls is None)
    assert ("DECAY = 0.3" in found) == (falls is False)


@pytest.mark.parametrize(
    ("loop", "done"),
    [
        ("range(0, STEPS)", "step / STEPS"),
        ("range(1, STEPS + 1)", "(step - 1) / STEPS"),
        ("range(5, STEPS)", "(step - 5) / (STEPS - 5)"),
        ("range(STEPS + 2)", "step / (STEPS + 2)"),
    ],
)
def test_the_share_that_is_over_is_zero_at_first_and_below_one_at_last(loop: str, done: str) -> None:
    text = edited(script(loop=loop))
    assert f"with RatesToZero({done}, optimizer):" in text
    places = [eval(done, {"step": step, "STEPS": 30}) for step in eval(loop, {"STEPS": 30})]
    assert places[0] == 0 and 0.9 < places[-1] < 1


@pytest.mark.parametrize("loop", ["range(0, STEPS, 2)", "stream()", "zip(range(STEPS), stream())"])
def test_what_has_no_length_is_not_guessed(loop: str) -> None:
    assert "how long the loop of line 7 is can't be told" in edited(script(loop=loop))


@pytest.mark.parametrize(
    ("head", "end", "done"),
    [
        ("while step < STEPS", "", "step / STEPS"),
        ("while True", "if step >= STEPS:\n        break", "step / STEPS"),
        ("while True", "if step >= STEPS and late:\n        break", None),
        ("while not over", "", None),
        ("while step < STEPS", "if loss < 0.1:\n        break", None),
        ("while True", "if step >= STEPS or loss < 0.1:\n        break", None),
    ],
)
def test_a_loop_that_ends_by_a_condition(head: str, end: str, done: str | None) -> None:
    text = script(made="step = 0\n", last=f"step += 1\n    {end}").replace("for step in range(STEPS)", head)
    found = edited(text)
    assert f"with RatesToZero({done}, optimizer):" in found if done else "ends can't be told" in found
