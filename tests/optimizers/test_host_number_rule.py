"""What the rule host-number leaves on the host meets tensors of the device: looked at without one."""

from __future__ import annotations

from typing import Any

import pytest

from outpace_audit.records import Code
from outpace_optimizers.rules.host_number import RULE

torch = pytest.importorskip("torch")

TEXT = """\
import torch


def cut(x, width: int):
    root = torch.sqrt(torch.tensor(width, dtype=torch.float32, device=x.device))
    most = torch.as_tensor(3.0, device=x.device)
    y = torch.tanh(x)
    y = torch.where(y.abs() > most, y.sign(), y)
    return y / (2.0 * root)
"""


def test_the_result_stays_on_the_device() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    (idea,) = RULE.propose(Code("cut.py", TEXT, "cut", "function"))
    assert idea.patch.new_source.count('device="cpu"') == 2
    space: dict[str, Any] = {"__name__": "case"}
    exec(compile(idea.patch.new_source, "cut.py", "exec"), space)
    with FakeTensorMode():
        out = space["cut"](torch.empty(4, 8, device="cuda"), 8)
    assert out.device.type == "cuda"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    return y / (2.0 * root)", "    return y / (2.0 * root), most"),
        ("y.abs() > most", "most > 1"),
        ("torch.sqrt(", "torch.stack(2 * ["),
        ("y.sign(), y)", "y.sign(), most)"),
    ],
)
def test_a_number_that_would_leave_the_device_stays_there(old: str, new: str) -> None:
    text = TEXT.replace(old, new).replace("x.device))", "x.device)])") if "[" in new else TEXT.replace(old, new)
    assert text != TEXT
    assert all(
        idea.patch.new_source.count('device="cpu"') < 2 for idea in RULE.propose(Code("a.py", text, "cut", "function"))
    )
