"""Each profile rule on a profile that it must speak of, and on one that comes near it; and on real scripts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.profiling.plan import Plan
from outpace_optimizers.profile_rules.registry import load_profile_rules, suggestions
from outpace_optimizers.profiles.names import TRACE
from outpace_optimizers.profiles.reading import read
from outpace_optimizers.profiles.recording import record
from outpace_optimizers.profiles.records import (
    FORMAT,
    Attention,
    Copy,
    DeviceUse,
    Portion,
    Profile,
    Recomputation,
    Target,
    Wait,
)
from outpace_optimizers.rules.registry import load_rules
from outpace_optimizers.training_rules.registry import load_training_rules
from outpace_optimizers.workspace import Workspace

ROOT = Path(__file__).parents[3]
PAIRS = ROOT / "benchmarks/profile/rule_pairs.py"
DEVICE = DeviceUse(busy_s=0.099, kernels=500, median_kernel_s=50e-6, matmul_s={"bfloat16": 0.05}, tf32_kernels=False)
WELL = Profile(
    format=FORMAT, trace="t", steps=3, step_s=0.1, profiled_step_s=0.1, plain_step_s=0.1, step_by="optimizer AdamW",
    attributed_s=0.1, unattributed=(), targets=(), kernels=(), breakdown=(), waits=(), copies=(),
    zeroing=Portion("zero_grad", 0.0), optimizer=(), loader="", device=DEVICE, run={},
)  # fmt: skip
"""A step of 100 ms that keeps its device busy."""


def region(name: str, seconds: float) -> Target:
    return Target("region", name, seconds, 0.0, seconds, 1.0)


def busy(seconds: float, profile: Profile = WELL) -> Profile:
    return replace(profile, device=replace(DEVICE, busy_s=seconds))


def matmul(seconds: float, name: str = "float32", *, tf32: bool = False) -> DeviceUse:
    of = {"tf32_s" if tf32 else "gemm_s": seconds} if name == "float32" else {}
    return replace(DEVICE, matmul_s={name: seconds}, tf32_kernels=tf32, **of)


def with_optimizer(operator: str, seconds: float, name: str = "AdamW") -> Profile:
    step = region(f"{name}.step", seconds)
    return replace(WELL, targets=(step,), optimizer=(Portion(operator, seconds, 120.0),))


ITEM = Wait("aten::item", "main", 1.0, 0.08)
UPLOAD = Wait("aten::to", "main", 2.0, 0.01)
PAGEABLE = Copy("HtoD (Pageable -> Device)", "main", 1.0, 0.004, 40e6)
TINY = DeviceUse(busy_s=0.002, kernels=900, median_kernel_s=3e-6, matmul_s={}, tf32_kernels=False)
SCORES = Attention("Block.forward", (8, 12, 512, 512), 12.0, 0.02, 0.012)
TURNING = Portion("void cudnn::ops::nchwToNhwcKernel<__nv_bfloat16>(...)", 0.004, 24.0, "Net.forward")
AGAIN = Recomputation("Block.forward", 400.0, 0.02, 20e9)
SMALL = {"peak_memory": 8e9, "total_memory": 80e9}
SPARSE = replace(DEVICE, sparse_s=0.06, unfilled_s=0.05)
PAUSES = {"garbage": {"steps": 10, "pauses": [(0, 1e-4)] * 5 + [(2, 0.05)]}}
RANKS = replace(DEVICE, communication_s=0.03, exposed_s=0.01)
SPOKEN_OF: dict[str, Profile] = {
    "synchronizing-call": replace(busy(0.08), waits=(ITEM,)),
    "data-loader": replace(WELL, targets=(region("DataLoader", 0.03),), loader="single"),
    "unpinned-copy": replace(WELL, copies=(PAGEABLE,)),
    "zero-grad-fills": replace(
        WELL, targets=(region("AdamW.zero_grad", 0.002),), zeroing=Portion("zero_grad", 0.002, 40.0)
    ),
    "optimizer-loop": with_optimizer("aten::_foreach_add_", 0.01),
    "tiny-kernels": replace(WELL, step_s=0.01, device=TINY),
    "tf32-off": replace(WELL, device=matmul(0.05), run={"matmul_precision": "highest"}),
    "full-precision": replace(WELL, device=matmul(0.05, tf32=True)),
    "attention-not-fused": replace(WELL, attention=(SCORES,)),
    "small-batch": replace(WELL, device=SPARSE, run=SMALL),
    "recomputation": replace(WELL, recomputed=AGAIN, run=SMALL),
    "channels-last": replace(WELL, kernels=(TURNING,)),
    "garbage-collection": replace(busy(0.05), run=PAUSES),
    "exposed-communication": replace(WELL, device=RANKS),
}
NEAR: dict[str, list[Profile]] = {
    "synchronizing-call": [
        replace(busy(0.08), waits=(replace(ITEM, count=0.33),)),  # now and then
        replace(WELL, waits=(ITEM,)),  # the device is busy all the same
        replace(busy(0.02), waits=(replace(ITEM, seconds=0.001),)),  # the device is idle for other reasons
        replace(busy(0.08), waits=(UPLOAD,), copies=(PAGEABLE,)),  # waits for a copy to the device
        replace(WELL, device=None, waits=(ITEM,)),
    ],
    "data-loader": [replace(WELL, targets=(region("DataLoader", 0.004),), loader="workers")],
    "unpinned-copy": [
        replace(WELL, copies=(replace(PAGEABLE, kind="HtoD (Pinned -> Device)"),)),
        replace(WELL, copies=(replace(PAGEABLE, bytes=1e4),)),
        replace(WELL, copies=(replace(PAGEABLE, seconds=0.0005),)),
    ],
    "zero-grad-fills": [replace(WELL, targets=(region("AdamW.zero_grad", 0.002),))],
    "optimizer-loop": [
        with_optimizer("aten::_fused_adamw_", 0.01),
        with_optimizer("aten::add_", 0.001),
        with_optimizer("aten::add_", 0.01, "RMSprop"),
        replace(with_optimizer("aten::add_", 0.01), run={"optimizer": {"class": "AdamW", "home": "mine"}}),
        replace(
            with_optimizer("aten::_foreach_add_", 0.01, "SGD"), optimizer=(Portion("aten::_foreach_add_", 0.01, 1.0),)
        ),
    ],
    "tiny-kernels": [
        replace(WELL, step_s=0.01, device=replace(TINY, busy_s=0.009)),
        replace(WELL, step_s=0.01, device=replace(TINY, median_kernel_s=40e-6)),
        replace(WELL, step_s=0.1, device=TINY),  # so few launches do not fill so long a time
        replace(WELL, step_s=0.01, device=replace(TINY, kernels=50)),
    ],
    "tf32-off": [
        replace(WELL, device=matmul(0.05), run={"matmul_precision": "high"}),
        replace(WELL, device=matmul(0.05, tf32=True)),
        replace(WELL, device=matmul(0.05, "float64")),
        replace(WELL, device=matmul(0.005)),
        replace(WELL, device=replace(matmul(0.05), gemm_s=0.005, convolution_s=0.045), run={"cudnn_tf32": True}),
    ],
    "full-precision": [
        replace(WELL, device=matmul(0.05, "bfloat16")),
        replace(WELL, device=replace(DEVICE, matmul_s={"float32": 0.05, "float16": 0.01})),
        replace(WELL, device=matmul(0.01)),
    ],
    "attention-not-fused": [WELL, replace(WELL, attention=(replace(SCORES, seconds=0.004, products_s=0.003),))],
    "small-batch": [
        replace(WELL, device=SPARSE),  # how much memory there is, is not known
        replace(WELL, device=SPARSE, run=SMALL | {"peak_memory": 30e9}),
        replace(WELL, device=replace(SPARSE, unfilled_s=0.01), run=SMALL),
    ],
    "recomputation": [
        replace(WELL, recomputed=AGAIN),
        replace(WELL, recomputed=AGAIN, run=SMALL | {"peak_memory": 50e9}),  # what would be kept has no room
        replace(WELL, recomputed=replace(AGAIN, bytes=70e9), run=SMALL),
        replace(WELL, recomputed=replace(AGAIN, seconds=0.004), run=SMALL),
        replace(WELL, run=SMALL),
    ],
    "channels-last": [
        replace(WELL, kernels=(replace(TURNING, seconds=0.001),)),
        replace(WELL, kernels=(replace(TURNING, name="sm90_xmma_fprop_implicit_gemm_bf16_nhwc"),)),
    ],
    "garbage-collection": [
        replace(WELL, run=PAUSES),  # the device does not wait for it
        replace(busy(0.05), run={"garbage": {"steps": 10, "pauses": [(0, 1e-4)] * 5}}),
        replace(busy(0.05), run={"garbage": {"steps": 0, "pauses": []}}),
    ],
    "exposed-communication": [
        replace(WELL, device=replace(RANKS, exposed_s=0.002)),
        replace(WELL, device=None),
    ],
}


def rules_of(profile: Profile) -> set[str]:
    found = suggestions(profile)
    assert not found.troubles
    return {one.rule for one in found.suggestions}


def test_every_rule_is_tested_and_documented() -> None:
    rules, troubles = load_profile_rules()
    assert not troubles
    assert {rule.id for rule in rules} == set(SPOKEN_OF) == set(NEAR)
    text = (ROOT / "docs/profile.md").read_text()
    for rule in rules:
        assert rule.page == f"docs/profile.md#{rule.id}"
        assert f"### {rule.id}\n" in text


@pytest.mark.parametrize("rule", SPOKEN_OF)
def test_a_rule_speaks_with_what_it_saw(rule: str) -> None:
    profile = SPOKEN_OF[rule]
    found = [one for one in suggestions(profile).suggestions if one.rule == rule]
    assert len(found) == 1
    assert any(character.isdigit() for character in found[0].evidence)
    assert 0 < found[0].seconds <= profile.step_s


@pytest.mark.parametrize("rule", NEAR)
def test_a_rule_is_silent_on_what_comes_near(rule: str) -> None:
    for profile in NEAR[rule]:
        assert rule not in rules_of(profile)


HIDDEN = Target("region", "DataLoader", 0.006, 0.0, 0.006, 1.0, host_s=0.03)
"""While the device still computes what it was given before."""
STEPPING = Target("region", "AdamW.step", 0.015, 0.0, 0.015, 1.0, host_s=0.03, device_s=0.01)
BOUNDS: dict[str, tuple[Profile, float]] = {
    "data-loader": (replace(busy(0.08), targets=(HIDDEN,), loader="single"), 0.02),
    "optimizer-loop": (replace(busy(0.08, with_optimizer("aten::_foreach_add_", 0.03)), targets=(STEPPING,)), 0.03),
    "tiny-kernels": (replace(WELL, step_s=0.01, device=replace(TINY, other_s=0.0015)), 0.008 + 0.0015),
    "unpinned-copy": (
        replace(busy(0.08), copies=(replace(PAGEABLE, host_s=0.001),), waits=(replace(UPLOAD, seconds=0.005),)), 0.01,
    ),
    "full-precision": (
        replace(WELL, device=replace(matmul(0.05, tf32=True), fused_s=0.003, other_s=0.02)), 0.025 + 0.003 + 0.01,
    ),
    "tf32-off": (
        replace(WELL, device=replace(matmul(0.05), gemm_s=0.03, convolution_s=0.02), run={"cudnn_tf32": False}), 0.05,
    ),
    "attention-not-fused": (replace(busy(0.09), attention=(replace(SCORES, host_s=0.05),)), 0.03),
    "recomputation": (replace(busy(0.09), recomputed=replace(AGAIN, host_s=0.05), run=SMALL), 0.03),
    "small-batch": (replace(WELL, device=replace(SPARSE, busy_s=0.08), run=SMALL, targets=(STEPPING,)), 0.05 + 0.03),
}  # fmt: skip


@pytest.mark.parametrize("rule", BOUNDS)
def test_what_following_it_can_save_is_bounded_by_both_sides_of_the_machine(rule: str) -> None:
    """Of work that host and device do at once, each part can be what the step waits for."""
    profile, bound = BOUNDS[rule]
    (found,) = [one for one in suggestions(profile).suggestions if one.rule == rule]
    assert found.seconds == pytest.approx(bound)


@pytest.mark.parametrize("keys, needed", [(512, 0.5), (511, 1.0)])
def test_on_the_cpu_fused_attention_makes_its_products_all_the_same(keys: int, needed: float) -> None:
    """Half of them, of a causal mask, where there are more keys than are taken at once."""
    scores = replace(SCORES, scores=(8, 12, keys, keys))
    (found,) = suggestions(replace(WELL, device=None, attention=(scores,))).suggestions
    assert (found.rule, found.seconds) == ("attention-not-fused", pytest.approx(0.02 - 0.012 * needed))


def test_convolutions_have_a_switch_of_their_own() -> None:
    profile = BOUNDS["tf32-off"][0]
    (both,) = [one.advice for one in suggestions(profile).suggestions if one.rule == "tf32-off"]
    assert "set_float32_matmul_precision('high') and torch.backends.cudnn.allow_tf32 = True" in both
    asked = replace(profile, run={**profile.run, "matmul_precision": "high"})
    (one,) = [one.advice for one in suggestions(asked).suggestions if one.rule == "tf32-off"]
    assert one.startswith("torch.backends.cudnn.allow_tf32 = True")


def test_the_edits_that_are_named_exist() -> None:
    training = {rule.id for rule in load_training_rules()[0]}
    named = {
        rule: one.edit
        for rule, profile in SPOKEN_OF.items()
        for one in suggestions(profile).suggestions
        if one.rule == rule and one.edit
    }
    commands = {command.rpartition(" ")[2] for command in named.values()}
    assert set(named) == {"synchronizing-call", "optimizer-loop", "tiny-kernels", "full-precision"}
    assert all(command.startswith("outpace train --rule ") for command in named.values()) and commands <= training


def test_attention_in_a_file_of_the_project_is_one_for_optimize() -> None:
    block = Target("function", "Block.forward", 0.03, 0.0, 0.03, 1.0, "/project/my model.py", 3)
    (found,) = suggestions(replace(SPOKEN_OF["attention-not-fused"], targets=(block,))).suggestions
    assert found.edit == "outpace optimize '/project/my model.py'"
    assert "explicit-attention" in {rule.id for rule in load_rules().rules}


def test_workers_are_no_advice_where_a_batch_is_made_as_fast_as_it_is_handed_over() -> None:
    def advice(seconds: float) -> str:
        loading = replace(WELL, step_s=4 * seconds, targets=(region("DataLoader", seconds),), loader="single")
        return next(one.advice for one in suggestions(loading).suggestions if one.rule == "data-loader")

    assert "num_workers" in advice(0.005)
    assert "num_workers" not in advice(0.0004)


def test_nothing_is_said_of_a_step_that_is_well() -> None:
    assert rules_of(WELL) == set()


def test_a_rule_that_raises_costs_only_itself() -> None:
    class Broken:
        id = title = page = "broken"
        claimed_class = "exact"
        suggest: Callable[..., object] = staticmethod(lambda _: 1 / 0)

    found = suggestions(WELL, [Broken()])  # type: ignore[list-item]
    assert found.suggestions == ()
    assert "ZeroDivisionError" in found.troubles[0].message


def recorded(folder: Path, rule: str, side: str, device: str) -> Profile:
    (folder / ".outpace").mkdir(parents=True)
    command = [sys.executable, str(PAIRS), rule, side, "--device", device]
    recording = record(command, Workspace(folder), Plan(2, 2, 2), 200.0)
    return read(recording.place.file(TRACE), PAIRS.parent, recording.run)


TRIES = 3
"""A process that has to wait for a processor while two steps are recorded waits in whatever it is doing."""
ON_CPU = {
    "loader": "data-loader", "zero": "zero-grad-fills", "optimizer": "optimizer-loop",
    "attention": "attention-not-fused", "gc": "garbage-collection",
}  # fmt: skip
ON_CUDA = ON_CPU | {
    "sync": "synchronizing-call", "copy": "unpinned-copy", "tiny": "tiny-kernels", "tf32": "tf32-off",
    "amp": "full-precision", "batch": "small-batch", "recompute": "recomputation", "channels": "channels-last",
}  # fmt: skip


@pytest.mark.parametrize("side", ["yes", "no"])
@pytest.mark.parametrize("pair", [pytest.param("loader", marks=pytest.mark.timed(alone=True)), *list(ON_CPU)[1:]])
def test_real_scripts(tmp_path: Path, pair: str, side: str) -> None:
    spoken = (ON_CPU[pair] in rules_of(recorded(tmp_path / str(n), pair, side, "cpu")) for n in range(TRIES))
    assert any(found == (side == "yes") for found in spoken)


@pytest.mark.gpu
@pytest.mark.timed
@pytest.mark.parametrize("side", ["yes", "no"])
@pytest.mark.parametrize("pair", ON_CUDA)
def test_real_scripts_on_cuda(tmp_path: Path, pair: str, side: str) -> None:
    assert (ON_CUDA[pair] in rules_of(recorded(tmp_path, pair, side, "cuda"))) == (side == "yes")
