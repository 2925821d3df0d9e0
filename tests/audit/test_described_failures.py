"""How an arm says what was raised: running out of memory is nobody's fault, and no verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from outpace_audit.arm import describe_failure
from outpace_audit.errors import ArmError

FULL = (
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.69 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError(
        'NVML_SUCCESS == DriverAPI::get()->nvmlInit_v2_() INTERNAL ASSERT FAILED at "CUDACachingAllocator.cpp":1135'
    ),
)


@pytest.mark.parametrize("error", FULL, ids=repr)
def test_a_full_memory_is_known_by_what_is_said(error: Exception, tmp_path: Path) -> None:
    assert describe_failure(error, "call", tmp_path)["kind"] == "out-of-memory"


def test_a_maker_of_inputs_that_fills_the_memory_is_nobodys_fault_either(tmp_path: Path) -> None:
    for cause, kind in ((FULL[-1], "out-of-memory"), (ValueError("size"), "raised")):
        error = ArmError("inputs", "raised", f"get_inputs() raised {cause}")
        error.__cause__ = cause
        assert describe_failure(error, "call", tmp_path)["kind"] == kind


def test_other_failures_are_not_excused(tmp_path: Path) -> None:
    error = RuntimeError("x INTERNAL ASSERT FAILED: not enough memory formats")
    assert describe_failure(error, "call", tmp_path)["kind"] == "raised"
