"""Traces made by hand, of a GPU: who is charged for what; and files that are no traces."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.profiles.reading import WITHOUT_STACKS, WITHOUT_STEPS, read, read_in_child
from outpace_optimizers.profiles.records import Profile, Stretch
from outpace_optimizers.profiles.trace import TraceError

SCRIPT = """
def forward(x):
    return x


def main():
    forward(1)
"""
MAIN, BACKWARD, GPU = 1, 2, 7


def event(category: str, name: str, start: float, end: float, thread: int = MAIN, **arguments: Any) -> dict[str, Any]:
    return {
        "ph": "X", "cat": category, "name": name, "pid": 1, "tid": thread, "ts": start, "dur": end - start,
        "args": {key.replace("_", " "): value for key, value in arguments.items()},
    }  # fmt: skip


EVENTS = [
    event("user_annotation", "ProfilerStep#3", 0, 1000),
    event("python_function", "script.py(6): main", -50, 1100),
    event("python_function", "script.py(2): forward", 100, 300),
    event("cpu_op", "aten::mm", 110, 200, Sequence_number=5, Fwd_thread_id=0, Input_type=["float", "float"]),
    event("cuda_runtime", "cudaLaunchKernel", 120, 130, correlation=1),
    event("python_function", "<built-in method run_backward of object at 0x1>", 400, 900),
    event("cpu_op", "autograd::engine::evaluate_function: MmBackward0", 420, 520, BACKWARD,
          Sequence_number=5, Fwd_thread_id=1),
    event("cuda_runtime", "cudaLaunchKernel", 450, 460, BACKWARD, correlation=2),
    event("cuda_runtime", "cudaStreamSynchronize", 920, 980),
    event("kernel", "sgemm", 200, 500, GPU, correlation=1),
    event("kernel", "sgemm_grad", 500, 800, GPU, correlation=2),
    event("kernel", "ncclDevKernel_AllReduce", 700, 850, GPU + 1, correlation=9),
    event("gpu_memcpy", "Memcpy HtoD (Pageable -> Device)", 900, 910, GPU, correlation=8, bytes=1_000_000),
]  # fmt: skip


def write(folder: Path, events: list[dict[str, Any]], name: str = "t.pt.trace.json") -> Path:
    (folder / "script.py").write_text(SCRIPT)
    path = folder / name
    path.write_text(json.dumps({"schemaVersion": 1, "traceEvents": events}))
    return path


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return read(write(tmp_path, EVENTS), tmp_path, {})


def own(profile: Profile, name: str) -> float:
    """Microseconds."""
    return round(1e6 * next(one for one in profile.targets if one.name == name).own_s, 3)


def test_device_time_goes_to_who_launched_and_backward_to_who_caused_it(profile: Profile) -> None:
    forward = next(one for one in profile.targets if one.name == "forward")
    # 100 to 200 on the host, then both kernels until 800
    assert (own(profile, "forward"), round(1e6 * forward.backward_s, 3)) == (700.0, 300.0)
    assert (forward.line, forward.calls, forward.around) == (2, 1.0, False)


def test_the_rest_is_the_hosts_or_nobodys_and_all_adds_up(profile: Profile) -> None:
    nobody = {one.name: round(1e6 * one.seconds, 3) for one in profile.unattributed}
    assert nobody == {"on the device, launched before the recording": 60.0}  # communication that nothing hides, a copy
    assert own(profile, "main") == 240.0
    assert profile.step_s == pytest.approx(1e-3)
    assert sum(one.own_s for one in profile.targets) + 60e-6 == pytest.approx(profile.step_s)


def test_what_is_found_besides_times(profile: Profile) -> None:
    assert profile.device is not None
    assert profile.device.busy_s == pytest.approx(660e-6)
    assert profile.device.matmul_s == {"float32": pytest.approx(300e-6)}
    assert [(one.operation, one.where, one.count) for one in profile.waits] == [("cudaStreamSynchronize", "main", 1.0)]
    assert [(one.kind, one.bytes) for one in profile.copies] == [("HtoD (Pageable -> Device)", 1e6)]


def test_breakdown_is_exclusive_and_adds_up(profile: Profile) -> None:
    pytest.importorskip("torch_tb_profiler")
    parts = {one.name: round(1e6 * one.seconds, 3) for one in profile.breakdown}
    assert parts["kernel"] == 650.0 and parts["memcpy"] == 10.0
    assert sum(parts.values()) == pytest.approx(1000.0)


def test_without_that_package_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch_tb_profiler.profiler.data", None)
    profile = read(write(tmp_path, EVENTS), tmp_path, {})
    assert profile.breakdown == ()
    assert any("pip install 'outpace[profile]'" in note for note in profile.notes)
    assert own(profile, "forward") == 700.0


def test_what_recording_adds_is_taken_off_where_it_is_known(tmp_path: Path) -> None:
    run = {
        "plain_thread_s": [500e-6, 501e-6, 700e-6],
        "recorded_thread_s": [507e-6],
    }  # 6 µs for 3 operators and 2 calls of Python's, which count as a quarter each; one of these is not charged
    profile = read(write(tmp_path, EVENTS), tmp_path, run)
    assert profile.step_s == pytest.approx(1e-3 - 6e-6 * 3.25 / 3.5)
    assert profile.profiled_step_s == pytest.approx(1e-3)


def test_code_keeps_some_of_its_time_however_often_it_is_recorded(tmp_path: Path) -> None:
    """As of a script that runs in a loop of a library's, of many small calls."""
    calls = [event("python_function", f"library.py(1): call_{n}", 600 + n, 600 + n + 0.5) for n in range(300)]
    kept = [one for one in EVENTS if one["cat"] != "kernel" and one["ts"] < 500]
    profile = read(write(tmp_path, kept + calls), tmp_path, {"plain_thread_s": [0.0], "recorded_thread_s": [1e-3]})
    assert own(profile, "main") > 50
    assert all(one.own_s >= 0 and one.seconds <= profile.step_s for one in profile.targets)
    assert all(part.seconds >= 0 for one in profile.targets for part in one.operators)


def test_what_the_profiler_does_between_steps_is_no_time_of_the_step(tmp_path: Path) -> None:
    ours = [
        event("python_function", "outpace_audit/profiling/window.py(80): _optimizer_stepped", 910, 918),
        event("python_function", "torch/profiler/profiler.py(1150): step", 911, 917),
    ]
    profile = read(write(tmp_path, EVENTS + ours), tmp_path, {})
    assert profile.step_s == pytest.approx(992e-6)
    assert (own(profile, "main"), profile.profiled_step_s) == (232.0, pytest.approx(1e-3))
    assert profile.attributed_s == pytest.approx(sum(one.own_s for one in profile.targets))


COMPILED = [
    event("user_annotation", "ProfilerStep#3", 0, 1000),
    event("python_function", "script.py(6): main", -50, 1100),
    event("python_function", "nn.Module: OptimizedModule_0", 100, 300),
    event("cpu_op", "Torch-Compiled Region: 0/0", 120, 290),
    event("python_function", "outpace_audit/profiling/module_calls.py(31): handing_on", 130, 280),
    event("cpu_op", "CompiledFunction", 140, 270, Sequence_number=5, Fwd_thread_id=0),
    event("python_function", "<built-in method run_backward of object at 0x1>", 400, 900),
    event("cpu_op", "autograd::engine::evaluate_function: CompiledFunctionBackward", 420, 820,
          Sequence_number=5, Fwd_thread_id=1),
    *(event("cpu_op", "autograd::engine::evaluate_function: torch::autograd::AccumulateGrad", start, start + 10,
            Sequence_number=2**64 - 1, Fwd_thread_id=0) for start in (830, 850, 870)),
]  # fmt: skip
"""More gradients than operators of the backward pass; and compiled through the wrapper that counts calls."""


def test_a_compiled_region_has_its_forward_and_backward_time(tmp_path: Path) -> None:
    profile = read(write(tmp_path, COMPILED), tmp_path, {})
    assert own(profile, "compiled region 0/0") == 570.0
    assert own(profile, "gradient accumulation") == 30.0
    around = {one.name: one.around for one in profile.targets}
    assert around["OptimizedModule"] and not around["compiled region 0/0"]
    assert own(profile, "OptimizedModule") == 30.0


@pytest.mark.parametrize(
    "within", [[], [event("python_function", "script.py(6): main", 520, 690)]], ids=["torch", "own"]
)
def test_a_closure_is_no_part_of_the_optimizers_step(tmp_path: Path, within: list[dict[str, Any]]) -> None:
    events = [
        event("user_annotation", "ProfilerStep#3", 0, 1000),
        event("python_function", "torch/optim/optimizer.py(509): wrapper", 490, 800),
        event("user_annotation", "Optimizer.step#SGD.step", 500, 790),
        event("python_function", "torch/optim/sgd.py(105): step", 510, 780),
        event("python_function", "library/loop.py(9): closure", 515, 700),
        *within,
        event("python_function", "nn.Module: Linear_0", 530, 600),
        event("python_function", "<built-in method run_backward of object at 0x1>", 600, 680),
        event("python_function", "torch/optim/sgd.py(250): sgd", 710, 770),
        event("cpu_op", "aten::add_", 720, 760),
    ]
    profile = read(write(tmp_path, events), tmp_path, {})
    step = next(one for one in profile.targets if one.name == "SGD.step")
    assert (round(1e6 * step.seconds), round(1e6 * step.own_s), step.calls) == (105, 105, 1.0)
    assert own(profile, "Linear") == 70.0
    assert [one.name for one in profile.optimizer] == ["aten::add_"]


def test_an_optimizer_of_ones_own_is_no_closure(tmp_path: Path) -> None:
    events = [
        event("user_annotation", "ProfilerStep#3", 0, 1000),
        event("user_annotation", "Optimizer.step#Muon.step", 500, 790),
        event("python_function", "torch/utils/_contextlib.py(117): decorate_context", 505, 785),
        event("python_function", "library/muon.py(9): step", 510, 780),
        event("python_function", "library/loop.py(9): closure", 520, 600),
        event("python_function", "nn.Module: Linear_0", 530, 590),
        event("python_function", "library/muon.py(1): orthogonal", 620, 700),
    ]
    assert own(read(write(tmp_path, events), tmp_path, {}), "Muon.step") == 210.0


def test_what_a_hook_of_a_gradient_runs_is_no_gradient_accumulation(tmp_path: Path) -> None:
    events = [
        event("user_annotation", "ProfilerStep#3", 0, 1000),
        event("cpu_op", "autograd::engine::evaluate_function: torch::autograd::AccumulateGrad", 400, 600),
        event("python_function", "script.py(2): forward", 420, 590),
        event("user_annotation", "Optimizer.step#Adam.step", 430, 580),
    ]
    profile = read(write(tmp_path, events), tmp_path, {})
    found = {one.name: (round(1e6 * one.seconds), one.calls) for one in profile.targets}
    assert found == {"gradient accumulation": (30, 0.0), "forward": (170, 1.0), "Adam.step": (150, 1.0)}


def test_a_trace_without_steps_or_stacks_says_so(tmp_path: Path) -> None:
    kept = [one for one in EVENTS if one["cat"] != "python_function" and "ProfilerStep" not in one["name"]]
    profile = read(write(tmp_path, kept), tmp_path, {})
    assert {WITHOUT_STEPS, WITHOUT_STACKS} <= set(profile.notes)
    assert profile.attributed_s == pytest.approx(0, abs=1e-9)
    assert sum(one.seconds for one in profile.unattributed) == pytest.approx(profile.step_s)


def test_an_annotation_under_way_when_recording_stopped_keeps_its_place(tmp_path: Path) -> None:
    events = [
        event("user_annotation", "ProfilerStep#3", 0, 1000),
        event("python_function", "script.py(6): main", -50, 1100),
        event("python_function", "torch/optim/optimizer.py(509): wrapper", 580, 1100),
        event("python_function", "torch/autograd/profiler.py(918): __enter__", 590, 620),
        event("user_annotation", "Optimizer.step#AdamW.step", 600, 5000),  # until the trace was written
        event("cpu_op", "aten::_fused_adamw_", 700, 900),
    ]
    profile = read(write(tmp_path, events), tmp_path, {})
    assert (own(profile, "AdamW.step"), own(profile, "main")) == (380.0, 620.0)


def test_the_timeline_is_the_step_of_median_length(tmp_path: Path) -> None:
    later = [
        event("user_annotation", f"ProfilerStep#{number}", start, start + length)
        for number, start, length in [(4, 1000, 40), (5, 1040, 5000)]
    ]
    shown = read(write(tmp_path, EVENTS + later), tmp_path, {}).timeline
    assert shown is not None
    assert shown.seconds == pytest.approx(1e-3)
    lanes = [(lane.name, [_in_microseconds(one) for one in lane.stretches]) for lane in shown.lanes]
    assert lanes == [
        ("host", [("main", 0, 420, False), ("main", 420, 100, True), ("main", 520, 480, False)]),
        ("", [("forward", 100, 200, False), ("forward", 420, 100, True)]),
        ("device 7", [
            ("forward", 200, 300, False), ("forward", 500, 300, True),
            ("Memcpy HtoD (Pageable -> Device)", 900, 10, False),
        ]),
        ("device 8", [("ncclDevKernel_AllReduce", 700, 150, False)]),
    ]  # fmt: skip


def _in_microseconds(one: Stretch) -> tuple[str, int, int, bool]:
    return one.name, round(1e6 * one.start), round(1e6 * one.seconds), one.backward


@pytest.mark.parametrize("longest, said", [(1900, False), (2500, True)])
def test_steps_that_are_not_alike_are_told(tmp_path: Path, longest: float, said: bool) -> None:
    later = [
        event("user_annotation", "ProfilerStep#4", 1000, 2100),
        event("user_annotation", "ProfilerStep#5", 2100, 2100 + longest),
    ]
    notes = read(write(tmp_path, EVENTS + later), tmp_path, {}).notes
    assert any("the recorded steps took 1 to 2.5 ms" in note for note in notes) == said


def test_without_steps_there_is_no_timeline(tmp_path: Path) -> None:
    kept = [one for one in EVENTS if "ProfilerStep" not in one["name"]]
    assert read(write(tmp_path, kept), tmp_path, {}).timeline is None


def test_a_hand_written_triton_kernel_is_a_region_by_its_name(tmp_path: Path) -> None:
    launch = [
        event("python_function", "triton/runtime/jit.py(700): run", 210, 250),
        event("cuda_driver", "cuLaunchKernelEx", 220, 240, correlation=4),
        event("kernel", "my_norm_kernel", 850, 890, GPU, correlation=4),
    ]
    profile = read(write(tmp_path, EVENTS + launch), tmp_path, {})
    assert own(profile, "Triton kernel my_norm_kernel") == 40.0


def test_labels_that_outlast_the_call_that_begins_them_hold_what_follows(tmp_path: Path) -> None:
    label = [
        event("python_function", "torch/autograd/profiler.py(1): __enter__", 310, 330),
        event("user_annotation", "Optimizer.step#Adam.step", 320, 390),
        event("cpu_op", "aten::add_", 340, 380),
    ]
    events = [one for one in EVENTS if one["cat"] != "kernel"] + label
    profile = read(write(tmp_path, events), tmp_path, {})
    assert own(profile, "Adam.step") == 60.0
    assert [one.name for one in profile.optimizer] == ["aten::add_"]


def test_the_code_is_known_as_it_was_profiled_or_not_at_all(tmp_path: Path) -> None:
    path = write(tmp_path, EVENTS)
    run = {"files": {"script.py": hashlib.sha256(SCRIPT.encode()).hexdigest()}}

    def digests(run: dict[str, Any]) -> set[str | None]:
        return {one.digest for one in read(path, tmp_path, run).targets if one.path}

    known = digests(run)
    assert None not in known and digests({}) == known
    later = path.stat().st_mtime + 60
    os.utime(tmp_path / "script.py", (later, later))
    assert digests(run) == known, "the same bytes, whenever they were written"
    assert digests({}) == {None}, "newer than the trace"
    (tmp_path / "script.py").write_text(SCRIPT + "\n\ndef other():\n    pass\n")
    assert digests(run) == {None}


TENSORFLOW = [{"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "/host:CPU"}}]
GOOD = json.dumps({"traceEvents": EVENTS}).encode()
BAD = {
    "empty": (b"", "the file is empty"),
    "cut": (GOOD[:-300], "cut off after"),
    "gzip-cut": (gzip.compress(GOOD)[:-20], "the gzip file is cut off"),
    "text": (b"epoch 3 loss 2.1\n", "no JSON"),
    "json": (b'{"a": 1}', "no trace"),
    "number": (b"3", "no trace"),
    "nsys": (b"SQLite format 3\x00" + bytes(100), "Nsight"),
    "binary": (b"\x0a\x00\x12\x00" + bytes(50), "binary"),
    "tensorflow": (json.dumps({"traceEvents": TENSORFLOW}).encode(), "TensorFlow"),
    "no-events": (b'{"traceEvents": []}', "without events"),
    "chrome": (b'{"traceEvents": [{"ph": "X", "name": "a", "ts": 1, "dur": 2}]}', "not torch.profiler"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_trace_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    data, said = BAD[name]
    path = tmp_path / "given.json"
    path.write_bytes(data)
    with pytest.raises(TraceError, match=said) as caught:
        read(path, tmp_path, {})
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_packed_or_not_is_seen_from_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, EVENTS)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read(path, tmp_path, {}).steps == 1


def test_events_that_lack_fields_are_passed_over(tmp_path: Path) -> None:
    odd: list[Any] = [{"ph": "X"}, 3, None, {"ph": "X", "cat": "cpu_op", "name": "a", "ts": "x", "dur": 1, "tid": 1}]
    assert read(write(tmp_path, EVENTS + odd), tmp_path, {}).steps == 1


def test_a_child_reads_the_same(tmp_path: Path, profile: Profile) -> None:
    assert read_in_child(write(tmp_path, EVENTS), tmp_path, {}) == profile
    with pytest.raises(TraceError, match="no such file"):
        read_in_child(tmp_path / "none.json", tmp_path, {})
