"""NVFP4: four-bit floats, two to a byte, in blocks of 16 with a scale of e4m3, and one fp32 scale a tensor.

    t = max |x| / (6 · 448)        s = e4m3(max |block| / 6 / t)        q = e2m1(x / (s t))        x' = q s t

e2m1 has 0, .5, 1, 1.5, 2, 3, 4, 6 and a sign; halfway goes to the even code, and what is beyond 6 to 6. The first
number of a pair is in the low half of its byte. From sm_100 on one instruction converts a pair; before, arithmetic
does, to the same bits. Division by 6, by 2688 and by s t is multiplication by the rounded reciprocal: libraries do not
agree on how to divide by a constant. For finite numbers; has no gradient.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

PART = tl.constexpr(1 / (6 * 448))
"""Of a tensor's largest number: its scale, under which that number is the largest e2m1 times the largest e4m3."""
SIXTH = tl.constexpr(1 / 6)


def nvfp4_quantize_reference(
    x: torch.Tensor, tensor_scale: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The same in PyTorch, as libraries for quantised models spell it out."""
    blocks = x.float().unflatten(-1, (-1, 16))
    largest = blocks.abs().amax(-1)
    if tensor_scale is None:
        top = largest.amax()
        tensor_scale = torch.where(top > 0, top * PART.value, 1.0)
    scales = (largest * SIXTH.value / tensor_scale).clamp(max=448.0).to(torch.float8_e4m3fn)
    whole = scales.float() * tensor_scale
    value = blocks * torch.where(whole > 0, 1 / whole, 0.0).unsqueeze(-1)
    size = value.abs()
    code = torch.zeros_like(size, dtype=torch.uint8)
    for at, tie_goes_up in ((0.25, 0), (0.75, 1), (1.25, 0), (1.75, 1), (2.5, 0), (3.5, 1), (5.0, 0)):
        code += ((size >= at) if tie_goes_up else (size > at)).to(torch.uint8)
    code += torch.signbit(value).to(torch.uint8) * 8
    low, high = code.flatten(-2).unflatten(-1, (-1, 2)).unbind(-1)
    return low + high * 16, scales, tensor_scale


def nvfp4_quantize(
    x: torch.Tensor, tensor_scale: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(packed [..., width / 2] of uint8, scales [..., width / 16] of float8_e4m3fn, the tensor's scale in fp32). `x`:
    [..., width], a multiple of 16; `tensor_scale`: one fp32 number, from an earlier step, where x is not to be asked
    for it. What `nvfp4_quantize_fits` refuses is computed by the reference.
    """
    fits = nvfp4_quantize_fits(x, tensor_scale)
    return (fused_nvfp4_quantize if fits else nvfp4_quantize_reference)(x, tensor_scale)


def nvfp4_dequantize_reference(
    packed: torch.Tensor, scales: torch.Tensor, tensor_scale: torch.Tensor, dtype: torch.dtype = torch.bfloat16
) -> torch.Tensor:
    """The same in PyTorch."""
    code = torch.stack((packed & 15, packed >> 4), dim=-1).flatten(-2).int()
    exponent, half = (code >> 1) & 3, (code & 1).float()
    size = torch.where(exponent == 0, half * 0.5, (1 + half * 0.5) * torch.exp2((exponent - 1).float()))
    value = torch.where((code & 8) != 0, -size, size)
    whole = (scales.float() * tensor_scale).unsqueeze(-1)
    return (value.unflatten(-1, (-1, 16)) * whole).flatten(-2).to(dtype)


def nvfp4_dequantize(
    packed: torch.Tensor, scales: torch.Tensor, tensor_scale: torch.Tensor, dtype: torch.dtype = torch.bfloat16
) -> torch.Tensor:
    """[..., width] of `dtype`, from what `nvfp4_quantize` gives. What `nvfp4_dequantize_fits` refuses is computed by
    the reference.
    """
    fits = nvfp4_dequantize_fits(packed, scales, tensor_scale, dtype)
    return (fused_nvfp4_dequantize if fits else nvfp4_dequantize_reference)(packed, scales, tensor_scale, dtype)


@triton.jit
def nvfp4_largest(x, largest, count, BLOCK: tl.constexpr):
    """max |x| as the bits of an fp32, whose order is that of positive numbers; a maximum has no order to depend on."""
    top = tl.zeros((BLOCK,), tl.float32)
    start = tl.program_id(0).to(tl.int64) * BLOCK
    for first in range(start, count, tl.num_programs(0).to(tl.int64) * BLOCK):
        at = first + tl.arange(0, BLOCK)
        top = tl.maximum(top, tl.abs(tl.load(x + at, mask=at < count, other=0.0).to(tl.float32)))
    tl.atomic_max(largest, tl.max(top, axis=0).to(tl.int32, bitcast=True), sem="relaxed")


@triton.jit
def nvfp4_scale_code(value):
    """Bits of e4m3 of fp32 numbers from 0 to 448, to nearest, halfway to even."""
    bits = value.to(tl.int32, bitcast=True)
    normal = ((bits + 0x7FFFF + ((bits >> 20) & 1)) >> 20) - (120 << 3)
    # Below 2⁻⁶ steps are 2⁻⁹; adding 2²³ rounds to whole steps.
    step = (value * 512 + 8388608.0).to(tl.int32, bitcast=True) & 0xFF
    return tl.where(value < 0.015625, step, normal)


@triton.jit
def nvfp4_scale_value(code):
    """fp32 of e4m3's bits, which are positive."""
    normal = ((code << 20) + (120 << 23)).to(tl.float32, bitcast=True)
    return tl.where(code < 8, code.to(tl.float32) * 0.001953125, normal)


@triton.jit
def nvfp4_code(value):
    """e2m1's bits by arithmetic on those of fp32."""
    size = tl.minimum(tl.abs(value), 6.0)
    bits = size.to(tl.int32, bitcast=True)
    normal = ((bits + 0x1FFFFF + ((bits >> 22) & 1)) >> 22) - (126 << 1)
    # Below 1 steps are halves; adding 2²³ rounds to whole steps.
    step = (size * 2 + 8388608.0).to(tl.int32, bitcast=True) & 0xF
    return tl.where(size < 1, step, normal) | ((value.to(tl.int32, bitcast=True) >> 28) & 8)


@triton.jit
def nvfp4_pairs(low, high, NATIVE: tl.constexpr):
    """Two e2m1 to a byte."""
    if NATIVE:
        packed = tl.inline_asm_elementwise(
            """
            {
            .reg .b8 one, two, three, four;
            cvt.rn.satfinite.e2m1x2.f32 one, $5, $1;
            cvt.rn.satfinite.e2m1x2.f32 two, $6, $2;
            cvt.rn.satfinite.e2m1x2.f32 three, $7, $3;
            cvt.rn.satfinite.e2m1x2.f32 four, $8, $4;
            mov.b32 $0, {one, two, three, four};
            }
            """,
            "=r,f,f,f,f,f,f,f,f",
            [low, high],
            dtype=tl.int8,
            is_pure=True,
            pack=4,
        ).to(tl.uint8, bitcast=True)
    else:
        packed = (nvfp4_code(low) | (nvfp4_code(high) << 4)).to(tl.uint8)
    return packed


@triton.jit
def nvfp4_pack(
    x,
    largest,
    given,
    packed,
    scales,
    tensor_scale,
    blocks,
    GIVEN: tl.constexpr,
    NATIVE: tl.constexpr,
    BLOCKS: tl.constexpr,
):
    block = tl.program_id(0).to(tl.int64) * BLOCKS + tl.arange(0, BLOCKS)
    within = block < blocks
    if GIVEN:
        whole = tl.load(given)
    else:
        top = tl.load(largest).to(tl.float32, bitcast=True)
        whole = tl.where(top > 0, top * PART, 1.0)
        if tl.program_id(0) == 0:
            tl.store(tensor_scale, whole)
    at = block[:, None] * 16 + tl.arange(0, 16)[None, :]
    value = tl.load(x + at, mask=within[:, None], other=0.0).to(tl.float32)
    size = tl.div_rn(tl.max(tl.abs(value), axis=1) * SIXTH, whole)
    code = nvfp4_scale_code(tl.minimum(size, 448.0))
    tl.store(scales + block, code.to(tl.uint8), mask=within)
    step = nvfp4_scale_value(code) * whole
    value *= tl.where(step > 0, tl.div_rn(tl.full((BLOCKS,), 1.0, tl.float32), step), 0.0)[:, None]
    low, high = tl.split(tl.reshape(value, (BLOCKS, 8, 2)))
    at = block[:, None] * 8 + tl.arange(0, 8)[None, :]
    tl.store(packed + at, nvfp4_pairs(low, high, NATIVE), mask=within[:, None])


@triton.jit
def nvfp4_value(code):
    """fp32 of e2m1's bits."""
    exponent, half = (code >> 1) & 3, code & 1
    normal = ((exponent + 126) << 23 | half << 22).to(tl.float32, bitcast=True)
    size = tl.where(exponent == 0, half.to(tl.float32) * 0.5, normal)
    return tl.where((code & 8) != 0, -size, size)


@triton.jit
def nvfp4_unpack(packed, scales, tensor_scale, out, blocks, BLOCKS: tl.constexpr):
    block = tl.program_id(0).to(tl.int64) * BLOCKS + tl.arange(0, BLOCKS)
    within = block < blocks
    step = nvfp4_scale_value(tl.load(scales + block, mask=within, other=0).to(tl.int32)) * tl.load(tensor_scale)
    at = block[:, None] * 8 + tl.arange(0, 8)[None, :]
    pairs = tl.load(packed + at, mask=within[:, None], other=0).to(tl.int32)
    value = tl.reshape(tl.join(nvfp4_value(pairs & 15), nvfp4_value(pairs >> 4)), (BLOCKS, 16)) * step[:, None]
    at = block[:, None] * 16 + tl.arange(0, 16)[None, :]
    tl.store(out + at, value.to(out.dtype.element_ty), mask=within[:, None])


def nvfp4_quantize_fits(x: torch.Tensor, tensor_scale: torch.Tensor | None) -> bool:
    """Whether the kernel takes them: on one GPU, fp32, fp16 or bf16, not empty, rows of a multiple of 16, no gradient
    asked, the scale one fp32 number.
    """
    return (
        x.is_cuda
        and x.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and x.dim() > 0
        and x.numel() > 0
        and x.shape[-1] % 16 == 0
        and not (torch.is_grad_enabled() and x.requires_grad)
        and (
            tensor_scale is None
            or (tensor_scale.device == x.device and tensor_scale.dtype is torch.float32 and tensor_scale.numel() == 1)
        )
    )


def nvfp4_dequantize_fits(
    packed: torch.Tensor, scales: torch.Tensor, tensor_scale: torch.Tensor, dtype: torch.dtype
) -> bool:
    """Whether the kernel takes them: on one GPU, not empty, to fp32, fp16 or bf16."""
    return (
        all(one.is_cuda and one.device == packed.device for one in (packed, scales, tensor_scale))
        and packed.dtype is torch.uint8
        and scales.dtype is torch.float8_e4m3fn
        and tensor_scale.dtype is torch.float32
        and tensor_scale.numel() == 1
        and packed.dim() > 0
        and packed.numel() > 0
        and packed.shape[-1] == scales.shape[-1] * 8
        and packed.shape[:-1] == scales.shape[:-1]
        and dtype in (torch.float32, torch.float16, torch.bfloat16)
    )


def fused_nvfp4_quantize(
    x: torch.Tensor, tensor_scale: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x = x.detach().contiguous()
    packed = torch.empty(*x.shape[:-1], x.shape[-1] // 2, dtype=torch.uint8, device=x.device)
    scales = torch.empty(*x.shape[:-1], x.shape[-1] // 16, dtype=torch.uint8, device=x.device)
    largest = torch.zeros((), dtype=torch.int32, device=x.device)
    whole = torch.empty((), dtype=torch.float32, device=x.device) if tensor_scale is None else tensor_scale
    blocks, tile = x.numel() // 16, 128
    native = x.is_cuda and torch.cuda.get_device_capability(x.device) >= (10, 0)
    with torch.cuda.device(x.get_device()):
        if tensor_scale is None:
            nvfp4_largest[(min(triton.cdiv(x.numel(), 4096), 1056),)](x, largest, x.numel(), BLOCK=4096, num_warps=8)
        nvfp4_pack[(triton.cdiv(blocks, tile),)](
            x,
            largest,
            whole,
            packed,
            scales,
            whole,
            blocks,
            GIVEN=tensor_scale is not None,
            NATIVE=native,
            BLOCKS=tile,
            num_warps=4,
        )
    return packed, scales.view(torch.float8_e4m3fn), whole


def fused_nvfp4_dequantize(
    packed: torch.Tensor, scales: torch.Tensor, tensor_scale: torch.Tensor, dtype: torch.dtype = torch.bfloat16
) -> torch.Tensor:
    packed, scales = packed.contiguous(), scales.contiguous().view(torch.uint8)
    out = torch.empty(*packed.shape[:-1], packed.shape[-1] * 2, dtype=dtype, device=packed.device)
    with torch.cuda.device(packed.get_device()):
        nvfp4_unpack[(triton.cdiv(scales.numel(), 128),)](
            packed, scales, tensor_scale, out, scales.numel(), BLOCKS=128, num_warps=4
        )
    return out
