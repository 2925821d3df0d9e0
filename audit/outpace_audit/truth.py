"""Truth: the baseline itself, with every fp32, bf16 and fp16 operation carried out in fp64.

Feeding fp64 inputs to a reference is not enough: 16 of 42 SOL-ExecBench references hard-code casts, so their
"fp64" result still carries fp32 or bf16 rounding. `LiftToFloat64` lifts each operator below autograd, where
casts are operators too. Quantisation is part of the mathematics and stays: a cast to fp8, fp4 or an integer
type really rounds.

A truth run owns its process: the mode also sets the default dtype, which is global.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, cast

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from .apparent import apparent_dtype, inherit, pretend
from .overflowing import exact_result, overflows
from .roundings import round_
from .truth_ops import EMULATED, CannotLift, is_quantised
from .undefined import made_undefined

__all__ = ["CannotLift", "LiftToFloat64", "lift_inputs", "lift_module", "lift_tensor"]

LIFTED = {
    torch.float32: torch.float64,
    torch.bfloat16: torch.float64,
    torch.float16: torch.float64,
    torch.complex64: torch.complex128,
    torch.complex32: torch.complex128,
}
"""What each dtype becomes; dtypes not listed (fp64, fp8, fp4, integers, bool) stay."""

_DTYPE_REFUSAL = re.compile(r"double|float64|complex128|dtype|scalar type|not implemented|unsupported", re.IGNORECASE)
"""Messages of operators that refuse fp64; anything else is the baseline's own error and is passed on
unchanged."""

_GET_DTYPE = torch.Tensor.dtype.__get__  # pyright: ignore[reportAttributeAccessIssue]
_METADATA_OPS = frozenset({"aten::_assert_tensor_metadata", "aten::_assert_async"})
_CONSTANT_MAKERS = frozenset(
    {torch.tensor, torch.as_tensor, torch.asarray, torch.scalar_tensor, torch.Tensor.new_tensor}
)
_RUNNING = ("running_mean", "running_var")
_DRAWN_INTO = frozenset(
    ("rand_like", "randn_like", "randint_like", "normal", "bernoulli", "multinomial", "poisson", "binomial")
) | {
    f"{name}_"
    for name in ("normal", "uniform", "bernoulli", "exponential", "cauchy", "log_normal", "geometric", "random")
}
_HIDDEN_WRITES = frozenset(
    f"aten::{name}_batch_norm" for name in ("native", "cudnn", "miopen")
)  # their schemas do not say that they update running statistics
_CASTS = frozenset({torch.Tensor.to, torch.Tensor.type_as, torch.Tensor.double})
_RMS_NORMS = frozenset({torch.nn.functional.rms_norm, torch.rms_norm})


def lift_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """`tensor` in fp64 (complex128) with the same values and strides, overlapping strides included, and its own dtype
    as the apparent one; no autograd history."""
    target = LIFTED.get(tensor.dtype)
    return tensor if target is None else pretend(_widened(tensor, target), tensor.dtype)


def _widened(tensor: torch.Tensor, target: torch.dtype) -> torch.Tensor:
    plain = tensor.detach()
    if plain.layout is not torch.strided or plain.numel() == 0 or plain.is_contiguous():
        return plain.to(target)
    extent = 1 + sum((n - 1) * step for n, step in zip(plain.shape, plain.stride(), strict=True))
    if extent > 2 * plain.numel() + 1024:  # a thin slice of something large
        return plain.to(target)
    flat = plain.as_strided((extent,), (1,), plain.storage_offset()).to(target)
    return flat.as_strided(plain.shape, plain.stride())


def lift_inputs(nested: Any) -> Any:
    """Nested lists, tuples and dicts with every low-precision tensor in fp64, still a leaf with its
    `requires_grad`.

    One tensor that occurs twice stays one tensor. Tensors that need no lifting are passed on, not copied.
    """
    done: dict[int, torch.Tensor] = {}

    def lift(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor) or leaf.dtype not in LIFTED:
            return leaf
        if id(leaf) not in done:
            done[id(leaf)] = lift_tensor(leaf).requires_grad_(leaf.requires_grad)
        return done[id(leaf)]

    return tree_map(lift, nested)


def lift_module(module: torch.nn.Module) -> torch.nn.Module:
    """A deep copy in fp64: parameters, buffers, and plain tensor attributes; fp8 and integer tensors keep
    their type."""
    lifted = copy.deepcopy(module)
    dtypes = [tensor.dtype for tensor in _state(lifted)]
    lifted._apply(lift_tensor)  # pyright: ignore[reportPrivateUsage]
    for tensor, dtype in zip(_state(lifted), dtypes, strict=True):
        pretend(tensor, dtype)
    for child in lifted.modules():
        for name, value in list(vars(child).items()):
            if isinstance(value, torch.Tensor):
                setattr(child, name, lift_inputs(value))
    return lifted


def _state(module: torch.nn.Module) -> list[torch.Tensor]:
    return [*module.parameters(), *module.buffers()]


class _LiftCalls(TorchFunctionMode):
    """What cannot be seen below autograd: Python constants, the choice of attention kernel, a dtype-dependent default,
    and the question for a dtype."""

    def __init__(self, default_dtype: torch.dtype) -> None:
        super().__init__()
        self._default_dtype = default_dtype
        self.inside_operators = 0
        """There the real dtypes count."""

    def __torch_function__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if self.inside_operators:
            return func(*args, **kwargs)
        if func == _GET_DTYPE:
            return apparent_dtype(args[0])
        if func in _CONSTANT_MAKERS:
            return self._make_constant(func, args, kwargs)
        if func in _CASTS:
            return self._cast(func, args, kwargs)
        if func is torch.nn.functional.scaled_dot_product_attention:
            with sdpa_kernel(SDPBackend.MATH):  # overrides a context that allows only kernels without fp64
                return func(*args, **kwargs)
        elif func in _RMS_NORMS and len(args) < 4:
            # eps=None means finfo(float32).eps for bf16, fp16 and fp32 alike, finfo(float64).eps once lifted.
            kwargs["eps"] = torch.finfo(torch.float32).eps if kwargs.get("eps") is None else kwargs["eps"]
        return func(*args, **kwargs)

    def _make_constant(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
        wanted: torch.dtype | None = kwargs.get("dtype")
        # torch.tensor(0.1, dtype=float32) rounds before any operator runs.
        kwargs["dtype"] = LIFTED.get(cast("torch.dtype", wanted), wanted)
        result: torch.Tensor = func(*args, **kwargs)
        data = args[func is torch.Tensor.new_tensor] if args else kwargs.get("data")
        if wanted is None and not hasattr(data, "dtype"):
            wanted = self._default_dtype
        is_new = wanted is not None and result.is_floating_point() and result is not data
        return pretend(result, cast("torch.dtype", wanted)) if is_new else result

    def _cast(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
        """A cast between dtypes that are both lifted, or to fp64, is nothing to torch and changes what appears."""
        given = [torch.float64] if func is torch.Tensor.double else [*args[1:], *kwargs.values()]
        asked = [apparent_dtype(one) if isinstance(one, torch.Tensor) else one for one in given]
        wanted = next((one for one in asked if isinstance(one, torch.dtype)), None)
        result: torch.Tensor = func(*args, **kwargs)
        if wanted is None or result.dtype not in LIFTED.values() or apparent_dtype(result) == wanted:
            return result
        return pretend(torch.ops.aten.alias(result) if result is args[0] else result, wanted)


class LiftToFloat64(TorchDispatchMode):
    """Inside this context every low-precision operator, forward and backward, runs in fp64 (complex128).

    Leaves that need gradients must be fp64 before they enter (`lift_inputs`, `lift_module`): autograd checks
    a gradient against the dtype of the leaf. Raises CannotLift where no fp64 form of an operator is known.

    `rounded`: (bits of mantissa, seed) that the result of each operator is rounded to, see roundings. `counts`: watch
    integers for overflow; `averages`: watch for the first NaN.
    """

    def __init__(self, rounded: tuple[int, int] | None = None, *, counts: bool = False, averages: bool = False) -> None:
        super().__init__()
        self._rounded = rounded
        self._counts, self._averages = counts, averages
        self.undefined = ""
        """The operator that made the first NaN, where that is watched; see `made_undefined`."""
        self.overflowed = ""
        """The first operator whose integers left their type, where that is watched."""
        self.drew_random = ""
        """The first operator that drew random numbers: truth then depends on the generator's state."""
        self.foreign_ops: set[str] = set()
        """Operators outside aten that ran: what they do inside is not lifted, so truth is in doubt."""
        self._depth = 0
        self._globals = ExitStack()
        self._default_dtype = torch.float32
        self._calls = _LiftCalls(self._default_dtype)

    def __enter__(self) -> LiftToFloat64:
        if self._depth == 0:
            self._set_globals()
        self._depth += 1
        super().__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        self._depth -= 1
        if self._depth == 0:
            self._globals.close()

    def _set_globals(self) -> None:
        self._default_dtype = torch.get_default_dtype()
        stack = self._globals
        stack.callback(torch.set_default_dtype, self._default_dtype)
        torch.set_default_dtype(torch.float64)
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)  # the fast path is one fused operator without fp64
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        if hasattr(torch.compiler, "set_stance"):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        self._calls = stack.enter_context(_LiftCalls(self._default_dtype))

    def __torch_dispatch__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        self._calls.inside_operators += 1
        try:
            watched = self._counts and not self.overflowed and not func.is_view
            exact = exact_result(func, args, kwargs) if watched else None
            result = self._dispatch(func, args, kwargs)
            if overflows(exact, result):
                self.overflowed = func._schema.name.removeprefix("aten::")
            if self._averages and not self.undefined and not func.is_view:
                self.undefined = made_undefined(func, (*args, *kwargs.values()), result)
            inherit(result, func, args, kwargs, self._default_dtype)
            if self._rounded is not None and not func.is_view:
                self._round([*tree_leaves(result), *_written(func, args, kwargs)], *self._rounded)
            return result
        finally:
            self._calls.inside_operators -= 1

    def _round(self, results: Iterable[Any], bits: int, seed: int) -> None:
        for one in results:
            wide = isinstance(one, torch.Tensor) and one.dtype in (torch.float64, torch.complex128)
            if wide and apparent_dtype(one) in LIFTED:
                round_(one, bits, seed)

    def _dispatch(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name: str = func._schema.name
        if name in _METADATA_OPS:
            return None
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.drew_random = self.drew_random or name.removeprefix("aten::")
        if not name.startswith(("aten::", "prim", "prims::")):
            self.foreign_ops.add(name)
        if func is torch.ops.aten.view.dtype:
            return _reinterpret(*args, **kwargs)
        if func.is_view and name != "aten::lift_fresh" and not _is_composite(func):
            return func(*args, **kwargs)  # exact in any dtype; a lifted copy would lose later writes
        if _is_composite(func):  # seen under inference_mode only
            with self:
                return func.decompose(*args, **kwargs)
        return self._draw(func, args, kwargs) if _draws_into(func) else self._run_lifted(func, args, kwargs)

    def _draw(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """In the dtypes that the baseline has, so that the generator gives the same numbers."""
        drawn: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

        def narrow(leaf: Any) -> Any:
            if not isinstance(leaf, torch.Tensor) or apparent_dtype(leaf) == leaf.dtype:
                return leaf
            if id(leaf) not in drawn:
                drawn[id(leaf)] = (leaf, leaf.to(apparent_dtype(leaf)))
            return drawn[id(leaf)][1]

        result = func(*tree_map(narrow, args), **tree_map(narrow, kwargs))
        for written in _written(func, args, kwargs):
            if id(written) in drawn:
                original, narrowed = drawn[id(written)]
                original.copy_(narrowed)
                if result is narrowed:
                    return original
        return tree_map(lambda leaf: lift_tensor(leaf) if isinstance(leaf, torch.Tensor) else leaf, result)

    def _run_lifted(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        originals: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        keep_dtype = _makes_random(func)

        def lift(leaf: Any) -> Any:
            if isinstance(leaf, torch.dtype) and not keep_dtype:
                return LIFTED.get(leaf, leaf)
            if not isinstance(leaf, torch.Tensor) or leaf.dtype not in LIFTED:
                return leaf
            if id(leaf) not in originals:
                originals[id(leaf)] = (leaf, lift_tensor(leaf))
            return originals[id(leaf)][1]

        if keep_dtype and kwargs.get("dtype") is None:
            kwargs = {**kwargs, "dtype": self._default_dtype}
        written = _written(func, args, kwargs)
        result = self._call(func, tree_map(lift, args), tree_map(lift, kwargs))
        back: dict[int, torch.Tensor] = {}
        for tensor in written:
            if id(tensor) in originals:
                original, lifted = originals[id(tensor)]
                original.copy_(lifted)
                back[id(lifted)] = original

        def finish(leaf: Any) -> Any:
            if not isinstance(leaf, torch.Tensor):
                return leaf
            return back[id(leaf)] if id(leaf) in back else lift_tensor(leaf) if leaf.dtype in LIFTED else leaf

        return tree_map(finish, result)

    def _call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        emulation = EMULATED.get(func._schema.name)
        if emulation is not None:
            return emulation(func, args, kwargs)
        try:
            return func(*args, **kwargs)
        except (RuntimeError, NotImplementedError) as error:
            if not _DTYPE_REFUSAL.search(str(error)) or isinstance(error, torch.OutOfMemoryError):
                raise
            decomposition = _decomposition(func)
            if decomposition is None:
                raise CannotLift(f"{func} has no fp64 form: {str(error).splitlines()[0]}") from error
        with self:
            return decomposition(*args, **kwargs)


def _decomposition(func: Any) -> Callable[..., Any] | None:
    from torch._decomp import decomposition_table

    return decomposition_table.get(func)


_composite: dict[Any, bool] = {}


def _is_composite(func: Any) -> bool:
    if func not in _composite:
        key = "CompositeImplicitAutograd"
        has_kernel: Any = getattr(torch, "_C")._dispatch_has_kernel_for_dispatch_key  # noqa: B009 (no public form)
        _composite[func] = bool(has_kernel(func.name(), key))
    return _composite[func]


def _draws_into(func: Any) -> bool:
    """An operator that draws numbers for a tensor it is given, such as `randn_like` and `normal_`."""
    return func._schema.name.rpartition("::")[2] in _DRAWN_INTO and not _makes_random(func)


def _makes_random(func: Any) -> bool:
    """A factory such as `rand`: drawn in its own dtype and lifted afterwards, so that truth sees the
    baseline's numbers."""
    return torch.Tag.nondeterministic_seeded in func.tags and not any(
        "Tensor" in str(argument.type) for argument in func._schema.arguments
    )


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors that `func` writes to: by its schema, or running statistics, which old schemas hide."""
    hidden = _RUNNING if func._schema.name in _HIDDEN_WRITES else ()
    found: list[torch.Tensor] = []
    if not (func._schema.is_mutable or hidden):
        return found
    for position, argument in enumerate(func._schema.arguments):
        declared = argument.alias_info is not None and argument.alias_info.is_write
        if not declared and argument.name not in hidden:
            continue
        value = args[position] if position < len(args) else kwargs.get(argument.name)
        values: Iterable[Any] = value if isinstance(value, (list, tuple)) else (value,)
        found.extend(item for item in values if isinstance(item, torch.Tensor))
    return found


def _reinterpret(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """`Tensor.view(dtype)`: bits of a type that lifting leaves alone may be read as another; those of fp64
    may not."""
    if tensor.dtype == LIFTED.get(dtype, dtype):
        return torch.ops.aten.alias.default(tensor)
    if tensor.dtype in (torch.float64, torch.complex128):
        raise CannotLift(f"the bits of a lifted tensor are read as {dtype}: fp64 has other bits")
    if tensor.dtype in LIFTED and not is_quantised(dtype) and dtype.is_floating_point:
        raise CannotLift(f"the bits of {tensor.dtype} are read as {dtype}")
    return torch.ops.aten.view.dtype(tensor, dtype)
