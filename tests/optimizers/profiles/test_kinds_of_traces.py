"""Traces made by hand, of kinds that others' scripts and other versions of torch leave: what is whose, what is said."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.profiles import trace as trace_module
from outpace_optimizers.profiles.reading import read
from outpace_optimizers.profiles.records import Profile
from outpace_optimizers.profiles.trace import TraceError, load

SCRIPT = """
def forward(x):
    return x


def backward(loss):
    loss.backward()


def main():
    forward(1)
    backward(2)
"""
MAIN, BACKWARD, GPU = 1, 2, 7


def event(
    category: str, name: str, start: float, end: float, thread: int = MAIN, pid: int = 1, **arguments: Any
) -> dict[str, Any]:
    named = {key.replace("_", " "): value for key, value in arguments.items()}
    return {
        "ph": "X", "cat": category, "name": name, "pid": pid, "tid": thread, "ts": start, "dur": end - start,
        "args": named,
    }  # fmt: skip


def launch(number: int, at: float, thread: int = MAIN, name: str = "cudaLaunchKernel") -> dict[str, Any]:
    return event("cuda_runtime", name, at, at + 5, thread, correlation=number)


def kernel(number: int, start: float, end: float, name: str = "gemm", queue: int = GPU, device: int = 0) -> Any:
    return event("kernel", name, start, end, queue, device, correlation=number)


STEP = event("user_annotation", "ProfilerStep#3", 0, 1000)
FRAMES = [
    event("python_function", "script.py(10): main", -50, 1100),
    event("python_function", "script.py(2): forward", 100, 300),
    event("python_function", "script.py(6): backward", 390, 910),
    event("python_function", "<built-in method run_backward of object at 0x1>", 400, 900),
]
FORWARD = event("cpu_op", "aten::mm", 110, 200, Sequence_number=5, Fwd_thread_id=0)
GRADIENT = event("cpu_op", "autograd::engine::evaluate_function: MmBackward0", 420, 520, BACKWARD, Sequence_number=5,
                 Fwd_thread_id=1)  # fmt: skip
GATHERING = event("cpu_op", "autograd::engine::evaluate_function: torch::autograd::AccumulateGrad", 530, 600, BACKWARD)


def profile_of(folder: Path, *events: dict[str, Any], text: str = "") -> Profile:
    (folder / "script.py").write_text(SCRIPT)
    path = folder / "t.pt.trace.json"
    path.write_text(text or json.dumps({"schemaVersion": 1, "traceEvents": list(events)}))
    found = read(path, folder, {}, by_kind=False)
    parts = sum(one.own_s for one in found.targets) + sum(one.seconds for one in found.unattributed)
    assert parts == pytest.approx(found.step_s), "all adds up to the step"
    assert found.step_s == pytest.approx(found.profiled_step_s)
    return found


def inclusive(profile: Profile) -> dict[str, int]:
    """Microseconds, by target."""
    return {one.name: round(1e6 * one.seconds) for one in profile.targets}


def test_a_backward_pass_of_another_thread_is_that_of_who_asked_for_it(tmp_path: Path) -> None:
    found = inclusive(
        profile_of(tmp_path, STEP, *FRAMES, FORWARD, GRADIENT, GATHERING, launch(1, 450, BACKWARD), kernel(1, 460, 700))
    )
    assert found["backward"] == 520
    assert found["forward"] == 200 + (460 - 420) + (700 - 460)


def test_without_stacks_a_label_around_it_does(tmp_path: Path) -> None:
    labels = [event("user_annotation", "fwd", 90, 310), event("user_annotation", "bwd", 390, 910)]
    profile = profile_of(tmp_path, STEP, *labels, FORWARD, GRADIENT, GATHERING)
    assert inclusive(profile) == {"fwd": 320, "bwd": 520, "gradient accumulation": 70}
    assert profile.share(profile.attributed_s) == pytest.approx(0.74)


def test_communication_is_a_region_by_its_operation(tmp_path: Path) -> None:
    """And is charged for only where nothing hides it."""
    profile = profile_of(
        tmp_path, STEP, *FRAMES, FORWARD, GRADIENT, GATHERING, launch(1, 450, BACKWARD),
        launch(2, 540, BACKWARD, "cudaLaunchKernelExC"), kernel(1, 600, 700),
        kernel(2, 650, 950, "ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096ul>)", 20),
    )  # fmt: skip
    found = inclusive(profile)
    assert (found["NCCL AllReduce"], found["gradient accumulation"]) == (250, 70)
    assert profile.device is not None and profile.device.exposed_s == pytest.approx(250e-6)


def test_kernels_at_once_on_several_streams_share_the_time(tmp_path: Path) -> None:
    profile = profile_of(
        tmp_path, STEP, *FRAMES, FORWARD, launch(1, 120), launch(2, 320), kernel(1, 400, 600),
        kernel(2, 400, 800, queue=8), kernel(3, 400, 500, queue=9),
    )  # fmt: skip
    found = inclusive(profile)
    assert found["forward"] == 200 + round(100 / 3 + 100 / 2)
    assert profile.device is not None and profile.device.busy_s == pytest.approx(400e-6)


def test_queues_of_two_devices_are_two_lanes(tmp_path: Path) -> None:
    profile = profile_of(
        tmp_path, STEP, *FRAMES, FORWARD, launch(1, 120), launch(2, 130), kernel(1, 200, 600),
        kernel(2, 300, 800, device=1),
    )  # fmt: skip
    assert profile.timeline is not None
    lanes = {lane.name: [round(1e6 * one.seconds) for one in lane.stretches] for lane in profile.timeline.lanes}
    assert (lanes["device 0, queue 7"], lanes["device 1, queue 7"]) == ([400], [500])


def test_a_step_that_is_one_graph_is_a_region(tmp_path: Path) -> None:
    replay = launch(1, 110, name="cudaGraphLaunch")
    kernels = [kernel(1, 200 + 10 * number, 210 + 10 * number) for number in range(60)]
    found = inclusive(profile_of(tmp_path, STEP, FRAMES[0], replay, *kernels))
    assert found["CUDA graph"] == 5 + 600


@pytest.mark.parametrize("name, called", [(": 0/1", "compiled region 0/1"), ("", "compiled region")])
def test_compiled_regions_have_no_number_in_older_traces(tmp_path: Path, name: str, called: str) -> None:
    region = event("cpu_op", f"Torch-Compiled Region{name}", 110, 290)
    inner = [event("user_annotation", "## Call CompiledFxGraph abc ##", 120, 280), launch(1, 130), kernel(1, 140, 400)]
    triton = event("python_function", "triton/runtime/jit.py(700): run", 125, 270)
    found = inclusive(profile_of(tmp_path, STEP, FRAMES[0], FRAMES[1], region, triton, *inner))
    assert found[called] == 290 and found["forward"] == 300
    assert not any(target.startswith("Triton kernel") for target in found)


COMPILERS = [
    "torch/_dynamo/convert_frame.py(1100): _compile",
    "triton/runtime/autotuner.py(150): _bench",
    "torch/utils/cpp_extension.py(2000): _jit_compile",
]


@pytest.mark.parametrize("frame", COMPILERS)
def test_steps_in_which_code_was_compiled_or_tuned_are_told(tmp_path: Path, frame: str) -> None:
    inner = event("python_function", "triton/compiler/compiler.py(220): compile", 120, 150)
    profile = profile_of(tmp_path, STEP, *FRAMES, event("python_function", frame, 110, 290), inner)
    assert any("0.18 ms of each recorded step (18%) went into compiling" in note for note in profile.notes)


def test_what_only_launches_compiled_code_compiles_nothing(tmp_path: Path) -> None:
    frames = [
        event("python_function", "triton/runtime/autotuner.py(190): run", 110, 290),
        event("python_function", "triton/runtime/jit.py(600): run", 120, 280),
    ]
    assert profile_of(tmp_path, STEP, *FRAMES, *frames).notes == ()


@pytest.mark.parametrize(
    "name, counts",
    [
        ("cudaStreamSynchronize", True), ("cudaStreamSynchronize_ptsz", True), ("hipDeviceSynchronize", True),
        ("cuEventSynchronize", True), ("cudaMemcpy", True), ("cudaMemcpyAsync", False), ("cudaEventRecord", False),
    ],
)  # fmt: skip
def test_waits_have_several_names(tmp_path: Path, name: str, counts: bool) -> None:
    profile = profile_of(tmp_path, STEP, *FRAMES, FORWARD, event("cuda_runtime", name, 310, 380))
    assert [one.where for one in profile.waits] == ["main"] * counts


def test_whole_microseconds_do_not_turn_calls_inside_out(tmp_path: Path) -> None:
    operator = event("cpu_op", "aten::mm", 100, 300)
    call = event("cuda_runtime", "cudaLaunchKernel", 100, 300, correlation=1)
    profile = profile_of(tmp_path, STEP, call, operator, FRAMES[0], FRAMES[1], kernel(1, 300, 800))
    forward = next(one for one in profile.targets if one.name == "forward")
    assert [(one.name, round(1e6 * one.seconds)) for one in forward.operators] == [("aten::mm", 700)]


def test_a_module_that_is_called_twice_and_calls_itself_is_counted_as_often_as_it_begins(tmp_path: Path) -> None:
    calls = [
        event("python_function", "script.py(2): forward", start, end)
        for start, end in [(100, 300), (150, 250), (160, 200), (500, 600)]
    ]
    profile = profile_of(tmp_path, STEP, FRAMES[0], *calls)
    forward = next(one for one in profile.targets if one.name == "forward")
    assert (forward.calls, round(1e6 * forward.seconds), round(1e6 * forward.own_s)) == (2.0, 300, 300)


def test_of_several_processes_in_one_trace_one_is_read(tmp_path: Path) -> None:
    """With the same numbers of threads."""
    mine = [STEP, *FRAMES, FORWARD]
    other = [{**one, "pid": 2, "ts": one["ts"] + 7} for one in mine]
    profile = profile_of(tmp_path, *mine, *other)
    assert (profile.steps, profile.step_s) == (1, pytest.approx(1e-3))
    assert inclusive(profile) == {"main": 1000, "forward": 200, "backward": 520}
    assert any("holds 2 processes" in note for note in profile.notes)


@pytest.mark.parametrize("last, steps", [(20, 2), (900, 3)])
def test_what_follows_the_last_step_is_no_step(tmp_path: Path, last: float, steps: int) -> None:
    """A recording without a schedule begins one more when `prof.step()` is called for the last time."""
    marks = [event("user_annotation", f"ProfilerStep#{n}", 1000 * n, 1000 * n + 1000) for n in range(2)]
    marks.append(event("user_annotation", "ProfilerStep#2", 2000, 2000 + last))
    assert profile_of(tmp_path, *marks, FORWARD).steps == steps


def test_a_label_that_was_never_ended_does_not_lengthen_a_trace_without_steps(tmp_path: Path) -> None:
    label = event("user_annotation", "training", 100, 9000)
    assert profile_of(tmp_path, FRAMES[1], FORWARD, label).step_s == pytest.approx(200e-6)


@pytest.mark.parametrize("scale", [1e-2, 1e6], ids=["10-us", "1000-s"])
def test_steps_of_any_length(tmp_path: Path, scale: float) -> None:
    events = [{**one, "ts": one["ts"] * scale, "dur": one["dur"] * scale} for one in (STEP, *FRAMES, FORWARD, GRADIENT)]
    profile = profile_of(tmp_path, *events)
    assert profile.share(next(one for one in profile.targets if one.name == "backward").seconds) == pytest.approx(0.52)


def test_events_without_names_or_with_impossible_times_are_passed_over(tmp_path: Path) -> None:
    odd = [
        {**FORWARD, "name": None}, {**FORWARD, "dur": -5}, {**FORWARD, "dur": math.inf}, {**FORWARD, "ts": math.nan},
        {**STEP, "dur": math.inf}, {**FORWARD, "args": None}, {**kernel(1, 300, 400), "args": None},
    ]  # fmt: skip
    assert profile_of(tmp_path, STEP, *FRAMES, *odd).steps == 1


# --- files ---------------------------------------------------------------------------------------------------------

GOOD = json.dumps({"traceEvents": [STEP, FORWARD]}).encode()


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf" + GOOD, gzip.compress(gzip.compress(GOOD)), gzip.compress(GOOD[:20]) + gzip.compress(GOOD[20:])],
    ids=["mark", "packed-twice", "in-two-parts"],
)
def test_a_trace_comes_in_several_wrappings(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rank0.1234.pt.trace.json"
    path.write_bytes(data)
    assert len(load(path)["traceEvents"]) == 2


def test_gzip_with_something_behind_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.pt.trace.json.gz"
    path.write_bytes(gzip.compress(GOOD) + b"epoch 3")
    with pytest.raises(TraceError, match="cut off or damaged"):
        load(path)


@pytest.mark.parametrize("data", [GOOD, gzip.compress(GOOD + b" " * 1_000_000)], ids=["plain", "packed"])
def test_a_trace_that_memory_does_not_hold_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(trace_module, "_memory_left", lambda: 1000)
    path = tmp_path / "t.pt.trace.json"
    path.write_bytes(data)
    with pytest.raises(TraceError, match="record fewer steps"):
        load(path)


def test_a_folder_says_which_traces_it_has(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="a folder, without traces"):
        load(tmp_path)
    for rank in range(6):
        (tmp_path / f"rank{rank}.pt.trace.json").write_bytes(GOOD)
    with pytest.raises(TraceError, match=r"6 traces \(rank0.pt.trace.json, .* and 2 more\); name one of them"):
        load(tmp_path)
