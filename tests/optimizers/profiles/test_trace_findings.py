"""What is found in traces made by hand: attention written out, recomputation, kernels that leave a device empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.profiles.reading import read
from outpace_optimizers.profiles.records import DeviceUse, Profile

MAIN, BACKWARD, GPU = 1, 2, 7
STEP: dict[str, Any] = {"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#1", "tid": MAIN, "ts": 0, "dur": 1e4}
FLOATS = ["float", "float", ""]


def event(category: str, name: str, start: float, end: float, thread: int = MAIN, **arguments: Any) -> dict[str, Any]:
    named = {key.replace("_", " "): value for key, value in arguments.items()}
    return {"ph": "X", "cat": category, "name": name, "tid": thread, "ts": start, "dur": end - start, "args": named}


def op(name: str, start: float, end: float, *dims: list[int], **arguments: Any) -> dict[str, Any]:
    return event("cpu_op", f"aten::{name}", start, end, Input_Dims=list(dims), Input_type=FLOATS, **arguments)


def read_events(folder: Path, events: list[dict[str, Any]]) -> Profile:
    path = folder / "t.pt.trace.json"
    path.write_text(json.dumps({"traceEvents": [STEP, *events]}))
    return read(path, folder, {}, by_kind=False)


# --- attention -----------------------------------------------------------------------------------------------------

PRODUCT = op("bmm", 100, 200, [8, 32, 16], [8, 16, 32])
SCALE = op("mul", 210, 230, [2, 4, 32, 32], [])
SOFTMAX = op("_softmax", 240, 290, [2, 4, 32, 32], [], Sequence_number=7)
LAYER = op("linear", 300, 500, [64, 64], [64, 64])
SECOND = op("bmm", 510, 600, [8, 32, 32], [8, 32, 16])
BACK = event("cpu_op", "autograd::engine::evaluate_function: SoftmaxBackward0", 700, 740, BACKWARD,
             Sequence_number=7, Fwd_thread_id=1)  # fmt: skip


def test_a_softmax_between_two_batched_products_is_attention_written_out(tmp_path: Path) -> None:
    (found,) = read_events(tmp_path, [PRODUCT, SCALE, SOFTMAX, LAYER, SECOND, BACK]).attention
    assert (found.scores, found.count) == ((2, 4, 32, 32), 1.0)
    assert found.seconds == pytest.approx((100 + 20 + 50 + 90 + 40) * 1e-6), "a layer between them has no part in it"
    assert found.products_s == pytest.approx(190e-6)


def test_on_a_device_its_kernels_count(tmp_path: Path) -> None:
    launches = [
        event("cuda_runtime", "cudaLaunchKernel", at, at + 5, thread, correlation=number)
        for number, (at, thread) in enumerate([(110, MAIN), (245, MAIN), (310, MAIN), (520, MAIN), (710, BACKWARD)])
    ]
    kernels = [
        event("kernel", f"k{number}", 1000 + 100 * number, 1000 + 100 * number + 10 * (number + 1), GPU,
              correlation=number)
        for number in range(5)
    ]  # fmt: skip
    profile = read_events(tmp_path, [PRODUCT, SOFTMAX, LAYER, SECOND, BACK, *launches, *kernels])
    (found,) = profile.attention
    assert found.seconds == pytest.approx((10 + 20 + 40 + 50) * 1e-6)
    assert found.products_s == pytest.approx((10 + 40) * 1e-6)


@pytest.mark.parametrize(
    "events",
    [
        [PRODUCT, SOFTMAX],  # probabilities that are returned
        [SOFTMAX, SECOND],  # of what was looked up
        [op("bmm", 100, 200, [8, 32, 16], [8, 16, 8]), SOFTMAX, SECOND],  # of another tensor
        [PRODUCT, SOFTMAX, op("bmm", 510, 600, [8, 16, 8], [8, 8, 16])],
        [op("mm", 100, 200, [64, 16], [16, 8]), op("_softmax", 240, 290, [64, 8]), SECOND],  # a router
        [op("scaled_dot_product_attention", 90, 650), PRODUCT, SOFTMAX, SECOND],
    ],
    ids=["no-second", "no-first", "other-scores", "other-weights", "router", "fused"],
)
def test_what_only_looks_like_it_is_none(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    assert read_events(tmp_path, events).attention == ()


def test_of_a_trace_without_shapes_nothing_is_said(tmp_path: Path) -> None:
    bare = [{**one, "args": {}} for one in (PRODUCT, SOFTMAX, SECOND)]
    assert read_events(tmp_path, bare).attention == ()


# --- recomputation -------------------------------------------------------------------------------------------------

CHECKPOINT = event("python_function", "torch/utils/checkpoint.py(500): checkpoint", 50, 90)
NODE = event("cpu_op", "autograd::engine::evaluate_function: AddmmBackward0", 600, 900, Sequence_number=5,
             Fwd_thread_id=1)  # fmt: skip
AGAIN = op("linear", 610, 700, [64, 32], [16, 32], [16], Sequence_number=9, Fwd_thread_id=0)
INNER = op("addmm", 620, 690, [16], [64, 32], [32, 16], Sequence_number=9, Fwd_thread_id=0)
VIEW = op("view", 705, 710, [64, 16], Sequence_number=10, Fwd_thread_id=0)
GRADIENT = op("mm", 720, 890, [64, 16], [16, 32])


def test_operators_that_record_a_graph_in_the_backward_pass_are_recomputed(tmp_path: Path) -> None:
    found = read_events(tmp_path, [CHECKPOINT, NODE, AGAIN, INNER, VIEW, GRADIENT]).recomputed
    assert found is not None
    assert (found.count, found.bytes) == (2.0, 4 * (64 * 32 + 16 * 32))
    assert found.seconds == pytest.approx(95e-6)


@pytest.mark.parametrize("events", [[NODE, AGAIN, INNER], [CHECKPOINT, NODE, GRADIENT]], ids=["gradients-of", "none"])
def test_gradients_of_gradients_and_gradients_are_none(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    assert read_events(tmp_path, events).recomputed is None


# --- the device ----------------------------------------------------------------------------------------------------


def used(folder: Path, events: list[dict[str, Any]]) -> DeviceUse:
    device = read_events(folder, events).device
    assert device is not None
    return device


def test_communication_is_exposed_where_nothing_else_runs(tmp_path: Path) -> None:
    device = used(tmp_path, [
        event("kernel", "gemm", 100, 300, GPU, blocks_per_SM=4.0),
        event("kernel", "ncclDevKernel_AllReduce", 200, 500, GPU + 1, blocks_per_SM=0.2),
    ])  # fmt: skip
    assert device.communication_s == pytest.approx(300e-6)
    assert device.exposed_s == pytest.approx(200e-6)
    assert device.unfilled_s == 0.0, "communication takes few blocks whatever the batch"


def test_kernels_with_few_blocks_leave_multiprocessors_empty(tmp_path: Path) -> None:
    optimizer = event("user_annotation", "Optimizer.step#Adam.step", 0, 50)
    launch = event("cuda_runtime", "cudaLaunchKernel", 10, 20, correlation=1)
    device = used(tmp_path, [
        optimizer, launch,
        event("kernel", "adam", 100, 200, GPU, correlation=1, blocks_per_SM=0.1),
        event("kernel", "few", 300, 500, GPU, blocks_per_SM=0.25),
        event("kernel", "its_own_schedule", 500, 700, GPU, blocks_per_SM=0.9),
        event("kernel", "unknown", 700, 900, GPU),
    ])  # fmt: skip
    assert device.sparse_s == pytest.approx(200e-6)
    assert device.unfilled_s == pytest.approx(150e-6)
