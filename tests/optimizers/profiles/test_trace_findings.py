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


def test_with_dropout_it_is_not_fused_on_the_cpu(tmp_path: Path) -> None:
    dropping = [PRODUCT, SOFTMAX, op("dropout", 295, 305), op("bernoulli_", 296, 299), SECOND]
    assert read_events(tmp_path, dropping).attention == ()
    on_device = [
        event("cuda_runtime", "cudaLaunchKernel", 110, 115, correlation=1),
        event("kernel", "k", 1000, 1010, GPU, correlation=1),
    ]
    assert read_events(tmp_path, [*dropping, *on_device]).attention
    evaluating = [PRODUCT, SOFTMAX, op("dropout", 295, 305), SECOND]
    assert read_events(tmp_path, evaluating).attention, "which drops nothing"


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


def frame(name: str, start: float, end: float) -> dict[str, Any]:
    return event("python_function", name, start, end)


def test_what_is_recomputed_is_of_who_called_the_checkpoint(tmp_path: Path) -> None:
    """And not of the code whose backward pass comes first, and asks for what was not kept."""
    (tmp_path / "net.py").write_text("def block():\n    pass\n\n\ndef layer():\n    pass\n\n\ndef last():\n    pass\n")
    place = f"{tmp_path}/net.py"
    block, layer, last = f"{place}(1): block", f"{place}(5): layer", f"{place}(9): last"
    profile = read_events(tmp_path, [
        frame(block, 10, 500), frame("torch/utils/checkpoint.py(500): checkpoint", 20, 490),
        frame(layer, 30, 200), op("mm", 40, 190, Sequence_number=4, Fwd_thread_id=0),
        frame(last, 210, 480), op("silu", 220, 470, Sequence_number=5, Fwd_thread_id=0),
        event("cpu_op", "autograd::engine::evaluate_function: SiluBackward0", 600, 1000, Sequence_number=5,
              Fwd_thread_id=1),
        frame("torch/utils/checkpoint.py(1100): unpack_hook", 610, 900),
        frame("torch/utils/checkpoint.py(1200): recompute", 620, 890),
        frame(layer, 630, 700), op("mm", 640, 690, Sequence_number=6, Fwd_thread_id=0),
        frame(last, 710, 880), op("silu", 720, 870, Sequence_number=7, Fwd_thread_id=0),
    ])  # fmt: skip
    taken = {one.name: one.seconds for one in profile.targets}
    assert taken["last"] == pytest.approx((270 + 110 + 170) * 1e-6)
    assert taken["layer"] == pytest.approx((170 + 70) * 1e-6)
    assert taken["block"] == pytest.approx((490 + 400) * 1e-6)


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


def test_a_target_has_a_side_on_the_host_and_one_on_the_device(tmp_path: Path) -> None:
    profile = read_events(tmp_path, [
        event("user_annotation", "first", 0, 100), event("cuda_runtime", "cudaLaunchKernel", 10, 20, correlation=1),
        event("user_annotation", "second", 200, 700),
        event("cuda_runtime", "cudaLaunchKernel", 210, 220, correlation=2),
        event("kernel", "k", 100, 600, GPU, correlation=1), event("kernel", "k", 600, 800, GPU, correlation=2),
    ])  # fmt: skip
    found = {one.name: [round(1e6 * s) for s in (one.seconds, one.host_s, one.device_s)] for one in profile.targets}
    assert found == {"first": [600, 100, 500], "second": [200, 500, 200]}
    second = next(one for one in profile.targets if one.name == "second")
    assert profile.removable_of(second) == pytest.approx(700e-6), "with it goes what the first would wait for"


def test_kernels_are_told_apart_by_what_other_numbers_would_do_to_them(tmp_path: Path) -> None:
    def launched(number: int, name: str, kernel: str, kind: str = "float") -> list[dict[str, Any]]:
        at = 100.0 * number
        return [
            event("cpu_op", name, at, at + 50, Input_type=[kind, kind]),
            event("cuda_runtime", "cudaLaunchKernel", at + 10, at + 20, correlation=number),
            event("kernel", kernel, 2000 + at, 2000 + at + number, GPU, correlation=number),
        ]

    device = used(tmp_path, [
        *launched(1, "aten::mm", "ampere_sgemm_128x64_tn"),
        *launched(2, "aten::addmm", "sm80_xmma_gemm_tf32f32_tf32f32_f32_tn"),
        *launched(4, "aten::mm", "cutlass_80_tensorop_s1688gemm_128x128_nn"),
        *launched(8, "aten::cudnn_convolution", "implicit_convolve_sgemm"),
        *launched(16, "aten::_scaled_dot_product_efficient_attention", "fmha_cutlassF_f32_aligned_64x64"),
        *launched(32, "aten::mul", "vectorized_elementwise_kernel"),
        *launched(64, "aten::mm", "nvjet_tst", "c10::BFloat16"),
    ])  # fmt: skip
    parts = (device.gemm_s, device.tf32_s, device.convolution_s, device.fused_s, device.other_s)
    assert [round(1e6 * one) for one in parts] == [1, 6, 8, 16, 32]
    assert device.tf32_kernels and round(1e6 * device.matmul_s["float32"]) == 15
