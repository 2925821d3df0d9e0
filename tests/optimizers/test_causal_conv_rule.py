"""The rule causal-conv on spellings that golden files do not run, and on what would change its meaning."""

from __future__ import annotations

import pytest

from outpace_audit.records import Code
from outpace_optimizers.rules.causal_conv import RULE

LAYER = "nn.Conv1d(dim, dim, taps, groups=dim, padding=taps - 1)"
CUT = "F.silu(self.conv(x)[..., :x.shape[-1]])"


def written(value: str, layer: str = LAYER, before: str = "pass", setup: str = "pass") -> str:
    """The part of `forward` that the rule puts before the old code; empty where it proposes nothing."""
    text = f"""import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn


class Block(nn.Module):
    def __init__(self, dim, taps, length=None):
        super().__init__()
        {setup}
        self.conv = {layer}
        self.act = nn.SiLU()

    def forward(self, x, length=None):
        {before}
        y = {value}
        return y
"""
    found = [idea.patch.new_source for idea in RULE.propose(Code("m.py", text, "Block", "module"))]
    assert len(found) <= 1
    return "".join(found).partition("def forward(self, x, length=None):")[2].partition("else:")[0]


@pytest.mark.parametrize(
    ("value", "call"),
    [
        (CUT, "fused_causal_conv(x.mT, self.conv.weight.squeeze(1), self.conv.bias, True).mT"),
        (
            'rearrange(self.act(self.conv(rearrange(x, "b l d -> b d l"))[:, :, :x.size(1)]), "b d l -> b l d")',
            "fused_causal_conv(x, self.conv.weight.squeeze(1), self.conv.bias, True)",
        ),
        (
            "self.conv(torch.transpose(x, -1, -2)).permute(0, 2, 1)[:, :x.shape[-2], :].contiguous()",
            "fused_causal_conv(x, self.conv.weight.squeeze(1), self.conv.bias)",
        ),
    ],
)
def test_spellings_that_need_no_check_at_run_time(value: str, call: str) -> None:
    made = written(value)
    assert f"y = {call}\n" in made
    assert ".shape[" not in made


def test_a_length_of_another_name_is_checked_at_run_time() -> None:
    assert "and length == x.shape[2]" in written("self.conv(x)[..., :length]")


def test_a_part_of_a_larger_expression_keeps_the_rest() -> None:
    made = written(f"2 * {CUT}")
    assert "y = 2 * (\n" in made
    assert f"else {CUT}" in made


@pytest.mark.parametrize(
    "layer",
    [
        "nn.Conv1d(dim, dim, 4, 1, 3, 1, dim, False)",
        "nn.Conv1d(dim, dim, (taps,), groups=dim, padding=(taps - 1,))",
        "nn.Conv1d(in_channels=dim, out_channels=dim, kernel_size=taps, groups=dim, padding=pad, **kwargs)",
    ],
)
def test_layers_in_other_words(layer: str) -> None:
    assert "fused_causal_conv(" in written(CUT, layer, setup='pad = taps - 1; kwargs = {"dtype": None}')


@pytest.mark.parametrize(
    ("value", "layer", "setup"),
    [
        (CUT, "nn.utils.weight_norm(nn.Conv1d(dim, dim, taps, groups=dim, padding=taps - 1))", "pass"),
        (CUT, "nn.Conv1d(dim, dim, taps, groups=dim, padding=pad)", "pad = taps - 1; taps = 7"),
        (CUT, "nn.Conv1d(dim, dim, taps, groups=dim, padding=taps // 2)", "pass"),
        (CUT, "nn.Conv1d(dim, dim, taps, groups=dim, padding='same')", "pass"),
        (CUT, "nn.Conv1d(dim, dim, taps, groups=dim, padding=taps - 1, **length)", "pass"),
        ("self.conv(x)[..., :x.shape[1]]", LAYER, "pass"),
        ("self.conv(x)[..., :x.shape[-1]].view(-1)", LAYER, "pass"),
        ("self.conv(x)[:, :length]", LAYER, "pass"),
        ("self.conv(x)[..., :-2]", LAYER.replace("taps", "4"), "pass"),
        ("self.conv(x)[..., :x.shape[-1]:2]", LAYER, "pass"),
        ('rearrange(self.conv(x), "b (h d) l -> b h d l")', LAYER, "pass"),
        ("self.conv(F.pad(x, (3, 0), value=1.0))", "nn.Conv1d(dim, dim, 4, groups=dim)", "pass"),
        ("self.conv(F.pad(x, (3, 0), 'circular'))", "nn.Conv1d(dim, dim, 4, groups=dim)", "pass"),
        ("F.conv1d(F.pad(x, (3, 0)), self.conv.weight, dilation=2, groups=length)", LAYER, "pass"),
        ("F.conv1d(F.pad(x, (3, 0)), self.conv.weight)", LAYER, "pass"),
    ],
)
def test_what_means_something_else_is_left_alone(value: str, layer: str, setup: str) -> None:
    assert written(value, layer, setup=setup) == ""


def test_a_weight_made_in_the_same_run_of_statements_is_not_named_before_it() -> None:
    made = written("F.conv1d(F.pad(x, (3, 0)), length, groups=8)", before="length = length.transpose(1, 2)")
    assert made.index("length = length.transpose(1, 2)") < made.index("causal_conv_fits(")
