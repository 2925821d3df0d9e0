"""What code under test shares with the program that calls it: torch's settings, and the functions that others call.

An arm remembers both before it loads anything and says later what has become different. A candidate that leaves them
changed changes its caller's results or speed, or what this package sees of it.
"""

from __future__ import annotations

import builtins
import gc
import math
import os
import random
import signal
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.modules import module as module_hooks
from torch.utils import _pytree

MODULES = (
    torch, torch.nn.functional, torch.autograd, torch.cuda, torch.fft, torch.linalg, torch.special, torch.random,
    _pytree, builtins, time, gc, math, random, sys, warnings,
)  # fmt: skip
"""Whose functions everybody calls. Submodules that are imported later add to them and replace nothing."""

CLASSES = (torch.Tensor, torch.Generator, torch.cuda.Event, torch.cuda.Stream, torch.cuda.CUDAGraph)
OWN = "outpace_audit"

BY_COMPILING = (
    "torch.manual_seed",
    "torch.nn.modules.module.Module.__init__",
    "torch.nn.modules.module.Module.__setstate__",
)
"""What torch itself wraps when torch.compile is used for the first time."""
TORCH_FOLDER = str(Path(torch.__file__).parent)

NOT_CALLED = ("/Meta", "/FuncTorchBatched")
"""Kernels that compute nothing for a caller: torch adds some of its own for shapes, and when vmap is first used."""

SETTLED = (bool, float, str)
"""Plain values that settings of a library have. Whole numbers count things, and what was None has been made at its
first use."""

NOT_SETTINGS = ("torch._", "torch.fx", "torch.jit", "torch.onnx", "torch.export", "torch.testing", "torch.distributed")
"""Packages, and those of torch.compile, whose values say how far they have come."""

BY_DYNAMO = ("torch.distributions.distribution.Distribution._validate_args",)
"""What torch.compile switches off for the whole process when it is first used."""

DENORMAL = 1e-40

_Owner = types.ModuleType | type
_SETTINGS: Mapping[str, Callable[[], object]] = {
    "torch.get_num_threads()": torch.get_num_threads,
    "torch.get_num_interop_threads()": torch.get_num_interop_threads,
    "torch.get_default_dtype()": torch.get_default_dtype,
    "torch.get_default_device()": torch.get_default_device,
    "torch.is_grad_enabled()": torch.is_grad_enabled,
    "torch.is_inference_mode_enabled()": torch.is_inference_mode_enabled,
    "torch.is_anomaly_enabled()": torch.is_anomaly_enabled,
    "torch.is_autocast_enabled('cpu')": lambda: torch.is_autocast_enabled("cpu"),
    "torch.is_autocast_enabled('cuda')": lambda: torch.is_autocast_enabled("cuda"),
    "torch.are_deterministic_algorithms_enabled()": torch.are_deterministic_algorithms_enabled,
    "torch.get_float32_matmul_precision()": torch.get_float32_matmul_precision,
    "torch.backends.cuda.matmul.allow_tf32": lambda: torch.backends.cuda.matmul.allow_tf32,
    "torch.backends.cudnn.enabled": lambda: torch.backends.cudnn.enabled,
    "torch.backends.cudnn.deterministic": lambda: torch.backends.cudnn.deterministic,
    "torch.backends.cudnn.allow_tf32": lambda: torch.backends.cudnn.allow_tf32,
    "torch.backends.mkldnn.enabled": lambda: torch.backends.mkldnn.enabled,
    "torch.backends.cuda.flash_sdp_enabled()": torch.backends.cuda.flash_sdp_enabled,
    "torch.backends.cuda.mem_efficient_sdp_enabled()": torch.backends.cuda.mem_efficient_sdp_enabled,
    "torch.backends.cuda.math_sdp_enabled()": torch.backends.cuda.math_sdp_enabled,
    "denormal numbers flushed to zero": lambda: float(torch.tensor(DENORMAL) * 1.0) == 0.0,
    "dispatch modes in force": lambda: torch._C._len_torch_dispatch_stack(),  # pyright: ignore
    "function modes in force": lambda: torch._C._len_torch_function_stack(),  # pyright: ignore
    "kernels put over torch's own": lambda: sorted(
        name
        for name in torch.library._impls  # pyright: ignore[reportPrivateUsage]
        if name.startswith("aten/") and not name.endswith(NOT_CALLED)
    ),
    "hooks on every module": lambda: sum(
        len(hooks) for name, hooks in vars(module_hooks).items() if name.startswith("_global_") and hooks
    ),
    "sys.gettrace()": sys.gettrace,
    "sys.getprofile()": sys.getprofile,
    "sys.getswitchinterval()": sys.getswitchinterval,
    "gc.isenabled()": gc.isenabled,
    "gc.get_threshold()": gc.get_threshold,
    "a timer of signal.setitimer runs": lambda: any(signal.getitimer(signal.ITIMER_REAL)),
    "os.getpriority(os.PRIO_PROCESS, 0)": lambda: os.getpriority(os.PRIO_PROCESS, 0),
    "os.sched_getaffinity(0)": lambda: sorted(os.sched_getaffinity(0)),
}
"""By the name that a reader would look up. torch.backends.cudnn.benchmark is left out: it chooses among kernels that
are all right, and honest convolutions turn it on."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One thing that is no longer as it was, in words."""

    name: str
    was: str
    now: str


class ProcessState:
    """As it is when this object is made."""

    def __init__(self) -> None:
        self._settings = settings()
        self._plain = plain_values()
        self._owners = [_Owned(name, owner, dict(vars(owner)), callables(owner)) for name, owner in owners()]

    def changes(self) -> list[StateChange]:
        now = settings()
        found = [StateChange(name, was, now[name]) for name, was in self._settings.items() if now[name] != was]
        values = plain_values()
        changed = [(name, was, values[name]) for name, was in self._plain.items() if values.get(name, was) != was]
        excused = BY_DYNAMO if _has_compiled() else ()
        found += [StateChange(*one) for one in changed if one[0] not in excused]
        for owned in self._owners:
            after = vars(owned.owner)
            for key in owned.callables:
                value, name = after.get(key), f"{owned.name}.{key}"
                if value is not owned.before.get(key) and not (name in BY_COMPILING and _is_torchs(value)):
                    found.append(StateChange(name, "as imported", "replaced" if key in after else "deleted"))
        return found


@dataclass(frozen=True, slots=True)
class _Owned:
    """`callables`: names that meant something callable, inherited ones too: one that is set now would hide it."""

    name: str
    owner: _Owner
    before: Mapping[str, object]
    callables: frozenset[str]


def settings() -> dict[str, str]:
    return {name: _read(setting) for name, setting in _SETTINGS.items()}


def _has_compiled() -> bool:
    patcher = getattr(sys.modules.get("torch._dynamo.eval_frame"), "TorchPatcher", None)
    known = getattr(getattr(patcher, "patch", None), "cache_info", None)
    return known is not None and known().currsize > 0


def plain_values() -> dict[str, str]:
    """Of torch's modules and of the classes that they define: what some of its own functions ask, such as whether a
    distribution looks at its arguments."""
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] != "torch" or name.startswith(NOT_SETTINGS):
            continue
        for key, value in list(vars(module).items()):
            if type(value) in SETTLED:
                found[f"{name}.{key}"] = repr(value)
            elif isinstance(value, type) and value.__module__ == name:
                own = ((inner, one) for inner, one in vars(value).items() if type(one) in SETTLED)
                found.update((f"{name}.{key}.{inner}", repr(one)) for inner, one in own)
    return found


def _read(setting: Callable[[], object]) -> str:
    try:
        return str(setting())
    except (AttributeError, RuntimeError) as error:  # another torch, or settings that torch says contradict each other
        return f"no value: {type(error).__name__}"


def owners() -> Iterator[tuple[str, _Owner]]:
    """Everything whose callables are watched: torch's, Python's, and this package's own."""
    own = [module for name, module in sys.modules.items() if name.split(".")[0] == OWN]
    for module in (*MODULES, *own):
        yield module.__name__, module
    classes = [
        value
        for module in (torch.nn, *own)
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__.split(".")[0] in ("torch", OWN)
    ]
    for one in dict.fromkeys((*CLASSES, *classes)):
        yield f"{one.__module__}.{one.__qualname__}", one


def callables(owner: _Owner) -> frozenset[str]:
    sources = owner.__mro__ if isinstance(owner, type) else (owner,)
    return frozenset(
        name
        for source in sources
        for name, value in vars(source).items()
        if callable(value) or hasattr(type(value), "__get__")
    )


def _is_torchs(value: object) -> bool:
    code = getattr(value, "__code__", None)
    return code is not None and code.co_filename.startswith(TORCH_FOLDER)
