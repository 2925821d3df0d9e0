"""What a call does, counted: FLOPs by precision, the bytes that it cannot do without, operators."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from outpace_audit.codec import decode
from outpace_audit.errors import ArmError
from outpace_audit.inputs import InputMaker
from outpace_audit.loading import load_source
from outpace_audit.records import Code, Workload
from outpace_audit.roofline import ceilings, sampling
from outpace_audit.roofline.records import Rate, Work
from outpace_audit.roofline.work import count
from outpace_audit.subject import Subject

HEAD = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\n"
LINEAR = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(32, 64, bias=False)

    def forward(self, x):
        return self.layer(x)


def get_inputs():
    return [torch.randn(16, 32)]
"""
PRODUCT = 2 * 16 * 32 * 64
X, W, Y = 4 * 16 * 32, 4 * 32 * 64, 4 * 16 * 64
"""Bytes of the linear layer's input, weight and output."""


def counted(folder: Path, text: str, *, outputs: list[list[object]] | None = None) -> Work:
    """Of `Model`, or of the function `step`; with the shapes and dtypes of `outputs` backward too."""
    path = folder / "target.py"
    path.write_text(HEAD + text)
    is_module = "class Model" in text
    code = Code(str(path), HEAD + text, "Model" if is_module else "step", "module" if is_module else "function")
    module = load_source(code, folder)
    subject = Subject(code, module, module, torch.device("cpu"))
    subject.set_training(outputs is not None)
    maker = InputMaker(Workload("get_inputs", "get_inputs", "declared", entry="get_inputs"), module, subject.device)
    return decode(Work, count(subject, maker, 7, outputs))


def of_function(folder: Path, body: str, inputs: str) -> Work:
    return counted(folder, f"def step(*args):\n    {body}\n\n\ndef get_inputs():\n    return [{inputs}]\n")


def test_a_linear_layer_forward(tmp_path: Path) -> None:
    work = counted(tmp_path, LINEAR)
    assert work.flops == {"fp32": PRODUCT}
    assert (work.input_bytes, work.parameter_bytes, work.output_bytes, work.gradient_bytes) == (X, W, Y, 0)
    assert (work.operators, work.moved_bytes, work.uncounted) == (1, X + W + Y, ())


def test_a_linear_layer_forward_and_backward(tmp_path: Path) -> None:
    work = counted(tmp_path, LINEAR, outputs=[[[16, 64], "float32"]])
    assert work.flops == {"fp32": 3 * PRODUCT}
    assert work.gradient_bytes == Y + X + W, "the cotangent, and the gradients of input and weight"
    assert work.least_bytes == X + W + Y + (Y + X + W)


def test_inputs_with_a_domain_stay_in_it(tmp_path: Path) -> None:
    """Which of them are needed is found by other values, and a loss of probabilities takes no others."""
    body = "return F.binary_cross_entropy(args[0], args[1]) + args[2].relu().sum() + 0 * args[3].sum()"
    inputs = "torch.rand(64, 8), torch.rand(64, 8), torch.randn(32), torch.rand(16)"
    assert of_function(tmp_path, body, inputs).input_bytes == 4 * (2 * 64 * 8 + 32)


def test_each_precision_counts_for_itself(tmp_path: Path) -> None:
    body = "return args[0] @ args[1], args[0].bfloat16() @ args[1].bfloat16()"
    work = of_function(tmp_path, body, "torch.randn(8, 8), torch.randn(8, 8)")
    assert work.flops == {"fp32": 2 * 8**3, "bf16": 2 * 8**3}


def test_what_is_pointwise_counts_no_flops(tmp_path: Path) -> None:
    work = of_function(tmp_path, "return torch.softmax(args[0].exp(), -1).t().reshape(-1)[:5]", "torch.randn(8, 8)")
    assert (work.flops, work.uncounted) == ({}, ())
    assert work.operators == 3, "exp, softmax and the copy of the transposed; views run nothing"


def test_of_a_table_only_the_rows_are_read(tmp_path: Path) -> None:
    text = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(1000, 8)

    def forward(self, tokens):
        return self.table(tokens)


def get_inputs():
    return [torch.tensor([3, 3, 3, 5]) + torch.randint(2, ())]
"""
    assert counted(tmp_path, text).parameter_bytes == 2 * 8 * 4


def test_parameters_that_no_call_reads_do_not_count(tmp_path: Path) -> None:
    idle = LINEAR.replace("bias=False)", "bias=False)\n        self.idle = nn.Linear(500, 500)")
    assert counted(tmp_path, idle).parameter_bytes == W


ATTENTION = "return F.scaled_dot_product_attention(*args, is_causal={})"
HEADS = ", ".join(["torch.randn(2, 4, 64, 16)"] * 3)


def test_causal_attention_counts_what_lies_before(tmp_path: Path) -> None:
    whole = of_function(tmp_path, ATTENTION.format(False), HEADS)
    assert whole.flops == {"fp32": 2 * 2 * (2 * 4) * 64 * 64 * 16}
    causal = of_function(tmp_path, ATTENTION.format(True), HEADS)
    assert causal.flops["fp32"] == pytest.approx(whole.flops["fp32"] * 65 / 128)


@pytest.mark.parametrize(
    ("body", "named"), [("return torch.fft.rfft(args[0])", "fft"), ("return torch.linalg.inv(args[0])", "linalg_inv")]
)
def test_what_no_formula_knows_is_named(tmp_path: Path, body: str, named: str) -> None:
    work = of_function(tmp_path, body, "torch.randn(8, 8)")
    assert work.flops == {} and any(named in name for name in work.uncounted)


def test_a_convolution_and_its_backward_pass(tmp_path: Path) -> None:
    text = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 8, 3, bias=False)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x):
        return self.norm(self.layer(x))


def get_inputs():
    return [torch.randn(2, 3, 10, 10)]
"""
    forward = 2 * (2 * 8 * 8 * 8) * (3 * 3 * 3)
    work = counted(tmp_path, text, outputs=[[[2, 8, 8, 8], "float32"]])
    assert work.flops == {"fp32": 3 * forward}
    whole, weight, scale = 4 * 2 * 3 * 100, 4 * 8 * 27, 4 * 8
    cotangent = 4 * 2 * 8 * 64
    assert work.gradient_bytes == cotangent + whole + weight + 2 * scale


def test_what_no_mode_can_look_into_is_named(tmp_path: Path) -> None:
    text = "from torch.nn.attention.flex_attention import flex_attention\n\n\n"
    text += "def step(q, k, v):\n    return flex_attention(q, k, v)\n\n\n"
    text += f"def get_inputs():\n    return [{HEADS}]\n"
    with pytest.raises(ArmError, match="it calls flex_attention, an operator that holds others"):
        counted(tmp_path, text)


def test_an_expanded_operand_moves_once(tmp_path: Path) -> None:
    work = of_function(tmp_path, "return args[0] + args[1].expand(8, 8)", "torch.randn(8, 8), torch.randn(8, 1)")
    assert work.moved_bytes == 4 * (64 + 8 + 64)


def test_compiled_code_is_counted_as_written(tmp_path: Path) -> None:
    text = "@torch.compile\ndef step(a, b):\n    return torch.relu(a @ b)\n\n\n"
    text += "def get_inputs():\n    return [torch.randn(8, 8), torch.randn(8, 8)]\n"
    work = counted(tmp_path, text)
    assert work.flops == {"fp32": 2 * 8**3} and work.operators == 2


def test_ceilings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """With small arrays and products, for an instant: what is measured, not how much."""
    monkeypatch.setattr(sampling, "SAMPLE_S", {"cpu": 1e-4})
    monkeypatch.setattr(ceilings, "LEAST_ARRAY", 1 << 20)
    monkeypatch.setattr(ceilings, "cache_bytes", lambda device: 1 << 18)
    monkeypatch.setattr(ceilings, "PRODUCTS", {"cpu": (16, 32)})
    found = ceilings.measure(torch.device("cpu"))
    rates = [decode(Rate, rate) for rate in found["rates"]]
    assert {(rate.kind, rate.name) for rate in rates} >= {
        ("memory", "read"), ("memory", "copy"), ("memory", "triad"), ("cache", "copy"), ("compute", "fp32"),
        ("compute", "bf16"), ("compute", "fp64"), ("launch", "as-called"),
    }  # fmt: skip
    for rate in rates:
        assert rate.best > 0 and rate.repeats == 9
        assert rate.best <= rate.median if rate.kind == "launch" else rate.best >= rate.median
    assert found["threads"] == torch.get_num_threads()


def test_a_precision_that_cannot_be_multiplied_is_missing_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(n: int) -> None:
        raise RuntimeError("no such\nkernel")

    monkeypatch.setattr(sampling, "SAMPLE_S", {"cpu": 1e-4})
    monkeypatch.setattr(ceilings, "LEAST_ARRAY", 1 << 20)
    monkeypatch.setattr(ceilings, "cache_bytes", lambda device: 0)
    monkeypatch.setattr(ceilings, "_products", lambda device: iter([("fp8", refuses)]))
    missing = ceilings.measure(torch.device("cpu"))["missing"]
    assert missing["fp8"] == "no such kernel" and "last-level cache" in missing["cache"]
