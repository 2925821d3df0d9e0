"""How SOL-ExecBench's "random" inputs are drawn: by the role that an input's name and description suggest.

The rules are the benchmark's own (first match wins), with one difference: it sets norm weights to exactly 1
and norm biases to exactly 0, so a kernel could drop both unnoticed.
Here they are normal(1, 0.1) and normal(0, 0.1).
"""

from __future__ import annotations

import random
from collections.abc import Callable

from outpace_audit.records import Law
from outpace_optimizers.targets.sol_definition import TensorField

FLOATS = frozenset({"float64", "float32", "float16", "bfloat16"})
"""The dtypes that roles apply to: fp8, fp4, integers and booleans are drawn plainly."""

BINARY_MASKS = frozenset({"x_mask", "text_mask", "aspect_ratio_mask", "drop_mask", "attention_mask"})
BINARY_WORDS = ("binary", "{0, 1}", "0 or 1", "1.0 for valid", "0.0 for masked")
POSITIVE = ("rstd", "std", "variance", "var")
DECAYS = {
    "A": Law("uniform", {"low": -1.0, "high": -0.001}),
    "A_log": Law("uniform", {"low": -5.0, "high": -1.0}),
    "A_cumsum": Law("running_sum", {"low": -0.1, "high": 0.0}),
    "g": Law("uniform", {"low": -5.0, "high": 0.0}),
}
ROTARY = {
    f"{prefix}{function}{suffix}": function
    for function in ("cos", "sin")
    for prefix in ("", "rope_")
    for suffix in ("", "_cached")
}
MATRIX_ENDS = ("_weight", "_weights", "_proj", "_projs", "_proj_weight", "_proj_weights", "_weight_matrix")


def input_law(tensor: TensorField, shape: tuple[int, ...], op_type: str = "") -> Law:
    """The law of one tensor input of this resolved shape that a workload calls random."""
    if tensor.dtype not in FLOATS:
        return _plain(tensor.dtype)
    if op_type == "sampling" and tensor.name == "probs":
        return Law("softmax")
    return next((law for rule in ROLES if (law := rule(tensor, shape)) is not None), _plain(tensor.dtype))


def scalar_value(tensor: TensorField, uuid: str) -> bool | int | float:
    """The value of a random Python scalar, fixed per workload so that a verdict can be replayed."""
    source = random.Random(f"{uuid}:{tensor.name}")
    if tensor.dtype == "bool":
        return source.random() < 0.5
    if "int" in tensor.dtype:
        return source.randrange(-128, 128) if tensor.dtype == "int8" else source.randrange(-1024, 1024)
    return source.gauss(0.0, 1.0)


def _plain(dtype: str) -> Law:
    if dtype == "bool":
        return Law("bernoulli", {"p": 0.5})
    if dtype == "int8":
        return Law("integers", {"low": -128, "high": 128})
    if dtype.startswith("int"):
        return Law("integers", {"low": -1024, "high": 1024})
    if dtype.startswith("float4"):
        return Law("fp4_packed")
    return Law("normal", {"mean": 0.0, "std": 1.0})


def _norm(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    owner, _, part = tensor.name.rpartition("_")
    if part not in ("weight", "bias") or not owner.rstrip("0123456789").endswith("norm"):
        return None
    return Law("normal", {"mean": 1.0 if part == "weight" else 0.0, "std": 0.1})


def _causal(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    """Last two dims equal; of two dims, both the same axis (batch and length may agree by chance)."""
    words = tensor.description.lower()
    named = tensor.name in ("attention_mask", "causal_mask") or ("attention mask" in words and "causal" in words)
    dims = (tensor.shape or ()) if len(shape) == 2 else shape
    return Law("causal") if named and len(dims) >= 2 and dims[-1] == dims[-2] else None


def _binary(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    words = tensor.description.lower()
    said = tensor.name.endswith("_mask") and any(word in words for word in BINARY_WORDS)
    return Law("bernoulli", {"p": 0.5}) if tensor.name in BINARY_MASKS or said else None


def _rotary(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    function = ROTARY.get(tensor.name)
    return Law("angle", {"function": function}) if function else None


def _positive(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    name = tensor.name.rstrip("0123456789")
    found = name in POSITIVE or name.endswith(tuple(f"_{word}" for word in POSITIVE))
    return Law("positive", {"offset": 0.1}) if found else None


def _decay(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    return DECAYS.get(tensor.name)


def _softmax(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    words = tensor.description.lower()
    named = tensor.name in ("attn_weights", "attention_weights", "routing_weights")
    return Law("softmax") if named or ("softmax" in words and "output" in words) else None


def _matrix(tensor: TensorField, shape: tuple[int, ...]) -> Law | None:
    name = tensor.name.rstrip("0123456789")
    wide = len(shape) >= 2
    return Law("fan_in") if wide and (name == "weight" or name.endswith(MATRIX_ENDS)) else None


ROLES: tuple[Callable[[TensorField, tuple[int, ...]], Law | None], ...] = (
    _norm, _causal, _binary, _rotary, _positive, _decay, _softmax, _matrix,
)  # fmt: skip
