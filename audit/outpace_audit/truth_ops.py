"""Operators that refuse fp64, written out in fp64: scaled and grouped matmul, fused attention, fused
optimizers.

Each emulation takes (operator, args, kwargs) with low-precision tensors already lifted, fp8 and fp4 operands
as they were. Formulas: torch.nn.functional.scaled_dot_product_attention, torch.optim.Adam, and the schemas of
the aten operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch

from .errors import OutpaceError


class CannotLift(OutpaceError):  # noqa: N818
    """No fp64 truth exists for this baseline; the message names the operation and why."""


Emulation = Callable[[Any, "tuple[Any, ...]", "dict[str, Any]"], Any]

_E2M1 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0)
"""Values of the sixteen fp4 codes (OCP microscaling formats, section 5.3.3)."""


def is_quantised(dtype: torch.dtype) -> bool:
    """fp8 and fp4 types: storage formats whose rounding belongs to the mathematics."""
    return str(dtype).startswith(("torch.float8", "torch.float4"))


def bind(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an operator call by schema name, defaults filled in."""
    bound: dict[str, Any] = {}
    for position, argument in enumerate(func._schema.arguments):
        if position < len(args) and not argument.kwarg_only:
            bound[argument.name] = args[position]
        else:
            bound[argument.name] = kwargs.get(argument.name, argument.default_value)
    return bound


def dequantise(tensor: torch.Tensor) -> torch.Tensor:
    """fp8 or packed fp4 (low nibble first, last dim doubles) to fp64."""
    if not str(tensor.dtype).startswith("torch.float4"):
        return tensor.to(torch.float64)
    packed = tensor.view(torch.uint8)
    codes = torch.stack((packed & 0xF, packed >> 4), dim=-1).flatten(-2).long()
    return torch.tensor(_E2M1, dtype=torch.float64, device=tensor.device)[codes]


def _spread(scale: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """A scale per tensor, row, block of a row, or square block, repeated to `shape` [rows, K]."""
    block = 16 if scale.dtype is torch.float8_e4m3fn else 32  # nvfp4 and microscaling blocks along K
    scale = scale.to(torch.float64)
    if scale.numel() == 1:
        return scale.reshape(1, 1)
    rows, blocks = shape[0], -(-shape[1] // block)
    if scale.numel() == -(-rows // 128) * 128 * -(-blocks // 4) * 4 and scale.shape != (rows, shape[1]):
        scale = _unswizzle(scale, rows, blocks)
    if scale.dim() != 2:
        raise CannotLift(f"scaled matmul with scales of shape {tuple(scale.shape)} for {tuple(shape)}")
    for dim in (0, 1):
        if scale.shape[dim] not in (1, shape[dim]):
            width = -(-shape[dim] // scale.shape[dim])
            if width not in (16, 32, 128):
                raise CannotLift(f"scaled matmul with scales of shape {tuple(scale.shape)} for {tuple(shape)}")
            scale = scale.repeat_interleave(width, dim).narrow(dim, 0, shape[dim])
    return scale


def _unswizzle(scale: torch.Tensor, rows: int, blocks: int) -> torch.Tensor:
    """[rows, blocks] from cuBLAS's tiles of 128 rows x 4 blocks, each stored as 32 x (4 x 4)."""
    down, across = -(-rows // 128), -(-blocks // 4)
    tiles = scale.reshape(down, across, 32, 4, 4).transpose(2, 3).reshape(down, across, 128, 4)
    return tiles.permute(0, 2, 1, 3).reshape(down * 128, across * 4)[:rows, :blocks]


def _scaled_mm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
    """(A * scale_a) @ (B * scale_b) + bias for A [M, K], B [K, N]; fp4 operands are packed along K."""
    call = bind(func, args, kwargs)
    left, right = dequantise(call["self"]), dequantise(call["mat2"].t())
    scale_b = call["scale_b"]
    scale_b = scale_b.t() if scale_b.dim() == 2 and scale_b.numel() > 1 else scale_b
    result = (left * _spread(call["scale_a"], left.shape)) @ (right * _spread(scale_b, right.shape)).t()
    if call["bias"] is not None:
        result = result + call["bias"].to(torch.float64)
    target = call["out_dtype"] or call["self"].dtype
    if is_quantised(target):
        if call["scale_result"] is not None:
            result = result * call["scale_result"].to(torch.float64)
        limit = torch.finfo(target).max
        return result.clamp(-limit, limit).to(target)
    return result


def _mm_dtype(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """mm, bmm, addmm, baddbmm: their `out_dtype` overloads are CUDA-only and take no fp64."""
    if "dtype" not in func._overloadname:
        return func(*args, **kwargs)
    plain = [value for value in args if not isinstance(value, torch.dtype)]
    rest = {key: value for key, value in kwargs.items() if key != "out_dtype"}
    return getattr(torch, func._schema.name.removeprefix("aten::"))(*plain, **rest)


def _grouped_mm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
    """Per group g of rows, columns or the contraction, as `offs` (exclusive ends, int32) cuts them: A_g @
    B_g."""
    call = bind(func, args, kwargs)
    left, right, offs = call["self"], call["mat2"], call["offs"]
    if call["bias"] is not None:
        raise CannotLift("grouped matmul with a bias")
    if offs is None:
        return torch.bmm(left, right)
    ends = [0, *(int(end) for end in offs.tolist())]
    spans = [slice(low, high) for low, high in pairwise(ends)]
    if left.dim() == 2 and right.dim() == 3:
        result = left.new_zeros(left.shape[0], right.shape[-1])
        for group, span in enumerate(spans):
            result[span] = left[span] @ right[group]
        return result
    if left.dim() == 3 and right.dim() == 2:
        result = left.new_zeros(left.shape[1], right.shape[-1])
        for group, span in enumerate(spans):
            result[:, span] = left[group] @ right[:, span]
        return result
    return torch.stack([left[:, span] @ right[span] for span in spans])


def _attention_weights(call: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor, float]:
    """softmax(Q K^T * scale + bias) [B, H, Q, K], its log-sum-exp [B, H, Q], and the scale."""
    if call.get("dropout_p"):
        raise CannotLift("fused attention with dropout: its random mask has no fp64 form")
    query, key = call["query"], call["key"]
    scale = call["scale"] if call["scale"] is not None else 1.0 / math.sqrt(query.shape[-1])
    scores = query @ _heads(key, query).transpose(-2, -1) * scale
    bias = call.get("attn_bias") if call.get("attn_bias") is not None else call.get("attn_mask")
    if bias is not None and bias.numel():
        scores = scores.masked_fill(~bias, -math.inf) if bias.dtype is torch.bool else scores + bias
    if call["is_causal"]:
        above = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(above, -math.inf)
    return torch.softmax(scores, -1), torch.logsumexp(scores, -1), scale


def _heads(tensor: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Key or value with each head repeated to the query's count (grouped-query attention)."""
    return tensor.repeat_interleave(query.shape[1] // tensor.shape[1], 1)


def _attention(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Output and log-sum-exp; a fused kernel's seeds, lengths and debug masks are placeholders."""
    call = bind(func, args, kwargs)
    query = call["query"]
    weights, lse, _ = _attention_weights(call)
    rest: list[Any] = []
    for returned in func._schema.returns[2:]:
        if "Tensor" in str(returned.type):
            rest.append(query.new_empty(0, dtype=torch.int64))
        else:
            rest.append(query.shape[2] if returned.name == "max_q" else call["key"].shape[2])
    return (weights @ _heads(call["value"], query), lse, *rest)


def _attention_backward(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """dV = P^T dO; dS = P * (dO V^T - rowsum(dO * O)); dQ = scale dS K; dK = scale dS^T Q; d bias = dS."""
    call = bind(func, args, kwargs)
    grad = call["grad_out"] if "grad_out" in call else call["grad_out_"]
    query, key, value = call["query"], call["key"], call["value"]
    weights, _, scale = _attention_weights(call)
    slope = grad @ _heads(value, query).transpose(-2, -1)
    scores = weights * (slope - (weights * slope).sum(-1, keepdim=True))
    grads: list[Any] = [scale * scores @ _heads(key, query)]
    d_key, d_value = scale * scores.transpose(-2, -1) @ query, weights.transpose(-2, -1) @ grad
    for full, like in ((d_key, key), (d_value, value)):
        grads.append(full.unflatten(1, (like.shape[1], -1)).sum(2))
    if len(func._schema.returns) == 4:
        bias = call.get("attn_bias")
        wanted = bias if call["grad_input_mask"][3] else None
        grads.append(scores.sum_to_size(wanted.shape) if wanted is not None else None)
    return tuple(grads)


def _fused_adam(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """torch.optim.Adam's update in place; `adamw` decays the weight instead of adding to the gradient."""
    call = bind(func, args, kwargs)
    found = call["found_inf"]
    if found is not None and bool(found):
        return
    decoupled = "adamw" in func._schema.name
    for i, weight in enumerate(call["self"]):
        grad, mean, square = call["grads"][i], call["exp_avgs"][i], call["exp_avg_sqs"][i]
        if call["grad_scale"] is not None:
            grad.div_(call["grad_scale"])
        grad = -grad if call["maximize"] else grad
        step = float(call["state_steps"][i])
        if decoupled:
            weight.mul_(1 - float(call["lr"]) * call["weight_decay"])
        else:
            grad = grad + call["weight_decay"] * weight
        mean.lerp_(grad, 1 - call["beta1"])
        square.mul_(call["beta2"]).addcmul_(grad, grad, value=1 - call["beta2"])
        second = square
        if call["amsgrad"]:
            second = torch.maximum(call["max_exp_avg_sqs"][i], square, out=call["max_exp_avg_sqs"][i])
        denominator = second.sqrt().div_(math.sqrt(1 - call["beta2"] ** step)).add_(call["eps"])
        weight.addcdiv_(mean, denominator, value=-float(call["lr"]) / (1 - call["beta1"] ** step))


EMULATED: dict[str, Emulation] = {
    "aten::_scaled_mm": _scaled_mm,
    "aten::_grouped_mm": _grouped_mm,
    "aten::_fused_adam_": _fused_adam,
    "aten::_fused_adamw_": _fused_adam,
    **{f"aten::{name}": _mm_dtype for name in ("mm", "bmm", "addmm", "baddbmm")},
}
for _kind in ("flash_attention", "efficient_attention", "cudnn_attention", "flash_attention_for_cpu"):
    EMULATED[f"aten::_scaled_dot_product_{_kind}"] = _attention
    EMULATED[f"aten::_scaled_dot_product_{_kind}_backward"] = _attention_backward
"""By schema name; every other operator is tried as it is and then by its decomposition."""
