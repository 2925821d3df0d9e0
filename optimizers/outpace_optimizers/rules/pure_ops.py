"""Which torch calls only compute: no randomness, no state, no effect, same inputs give the same values."""

from __future__ import annotations

from .names import words

MAKERS = frozenset(
    f"torch.{name}"
    for name in words(
        "arange zeros ones full eye linspace logspace tensor as_tensor zeros_like ones_like full_like "
        "tril_indices triu_indices scalar_tensor hann_window hamming_window"
    )
)
"""Calls that make a new tensor from numbers or from another tensor's shape."""

VIEWS = frozenset(
    f".{name}"
    for name in words(
        "t transpose permute view unsqueeze squeeze expand expand_as movedim swapaxes swapdims flatten "
        "reshape narrow select unfold diagonal view_as detach unbind chunk split contiguous unflatten to "
        "type float half double bfloat16 type_as moveaxis reshape_as requires_grad_ cpu cuda"
    )
)
"""Methods whose result may share memory with their receiver."""

VIEW_FUNCTIONS = frozenset("torch" + name for name in VIEWS) | {
    "torch.broadcast_to", "torch.atleast_2d", "torch.as_tensor", "einops.rearrange",
}  # fmt: skip

CASTS = frozenset({".to", ".type", ".float", ".half", ".double", ".bfloat16", ".type_as", ".int", ".long", ".bool"})
"""Methods that convert: no work where there is nothing to convert, a pass over memory where there is."""

_POINTWISE = words(
    "abs add sub subtract mul multiply div divide true_divide pow exp exp2 expm1 log log2 log10 "
    "log1p sqrt rsqrt sin cos tan tanh sigmoid relu neg negative square reciprocal erf erfc floor "
    "ceil round sign clamp clamp_min clamp_max clip maximum minimum where logical_not logical_and "
    "logical_or logical_xor eq ne lt le gt ge isnan isinf isfinite bitwise_not bitwise_and "
    "bitwise_or lerp addcmul addcdiv fmod remainder atan2 sinh cosh nan_to_num masked_fill softplus "
    "gelu silu float_power"
)
_SHAPED = words(
    "matmul bmm mm mv einsum outer dot addmm baddbmm tril triu sum mean std var prod amax amin norm "
    "cumsum cumprod flip roll softmax log_softmax logsumexp cat stack concat gather index_select "
    "take_along_dim argmax argmin repeat repeat_interleave clone tile kron cdist logdet inverse det "
    "pinverse masked_select all any cross trace diag diag_embed block_diag meshgrid polar "
    "view_as_complex view_as_real real imag complex linalg_norm unique_consecutive numel tensordot "
    "conj"
)

_METHODS_ONLY = words("size dim type_as new_zeros new_ones new_full new_tensor is_floating_point element_size")

FUNCTIONAL = frozenset(
    f"torch.nn.functional.{name}"
    for name in words(
        "softmax log_softmax relu gelu silu sigmoid tanh softplus elu selu leaky_relu normalize linear "
        "one_hot pad layer_norm rms_norm embedding interpolate cosine_similarity conv1d conv2d hardtanh "
        "mish relu6 unfold"
    )
)

PURE = (
    MAKERS
    | FUNCTIONAL
    | frozenset(f"torch.{name}" for name in _POINTWISE | _SHAPED)
    | frozenset(f".{name}" for name in _POINTWISE | _SHAPED | _METHODS_ONLY)
    | frozenset({"torch.linalg.norm", "torch.linalg.inv", "torch.fft.fft", "torch.fft.rfft", "torch.special.erf"})
    | VIEWS
    | VIEW_FUNCTIONS
) - {".item", ".unbind", ".chunk", ".split", ".requires_grad_", ".masked_select", "torch.masked_select"}
"""Everything a loop-invariant expression may call."""

FREE = (VIEWS | VIEW_FUNCTIONS | {".size", ".dim", ".numel", ".element_size", ".is_floating_point"}) - (
    CASTS | {".contiguous", ".reshape", ".flatten"}
)
"""Calls that cost no pass over memory: not worth hoisting on their own."""
