"""Measures what a machine can do, inside an arm that has loaded no user code: memory, cache, products, launches.

No figure comes from a data sheet. What cannot be measured is named, with why, and has no ceiling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from outpace_audit.roofline.records import Rate, RateKind
from outpace_audit.roofline.sampling import Repeats, as_graph, repeated, sample

BEYOND_CACHE = 4
"""Each array is so many times the last-level cache: of what is left in it from the last pass little is used."""
LEAST_ARRAY = 64 << 20
GPU_ARRAY = 1 << 30
MEMORY_SHARE = 16
"""One array takes at most this part of the free memory: there are three."""
CACHE_PARTS = (2, 4, 8)
"""Together the arrays take these parts of the last-level cache."""
SMALL = (1 << 20, 256 << 10)
"""Bytes of the three arrays together that stay in caches further in."""
PRODUCTS = {"cpu": (256, 512, 1024, 2048, 4096), "cuda": (1024, 2048, 4096, 8192)}
LONG_PRODUCT_S = 0.04
"""No larger one is tried after a product that takes longer."""
LAUNCHES = 1000
GRAPH_CALLS = 20
PRECISIONS = {
    "float64": "fp64", "float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float8_e4m3fn": "fp8",
    "float8_e5m2": "fp8",
}  # fmt: skip
"""Names of ceilings by torch's name of a dtype. TF32 has none: it is how float32 operands are multiplied."""


def measure(device: torch.device) -> dict[str, Any]:
    """`threads`, `cache_bytes`, `rates`, `missing`: fields of Ceilings."""
    cache = cache_bytes(device)
    rates: list[Rate] = []
    missing: dict[str, str] = {}
    with torch.no_grad():
        rates += _memory(device, cache)
        if cache:
            rates += _cache(device, cache)
        else:
            missing["cache"] = "the system does not say how large the last-level cache is"
        for name, make in _products(device):
            try:
                rates.append(_product(name, make, device))
            except (RuntimeError, TypeError, AttributeError) as error:
                missing[name] = (" ".join(str(error).split()) or type(error).__name__)[:200]
        rates += _launches(device)
    return {
        "threads": torch.get_num_threads(),
        "cache_bytes": float(cache),
        "rates": [asdict(rate) for rate in rates],
        "missing": missing,
    }


def cache_bytes(device: torch.device) -> int:
    """Of the last-level cache that one core reaches; 0 where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).L2_cache_size)
    sizes = [0]
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        unit = {"K": 1 << 10, "M": 1 << 20}.get(text[-1:], 1)
        digits = text.rstrip("KM")
        sizes.append(int(digits) * unit if digits.isdigit() else 0)
    return max(sizes)


def free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(fields["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError, IndexError):
        return 4 << 30


def _streams(elements: int, device: torch.device) -> Iterator[tuple[str, int, Callable[[], object]]]:
    """(name, arrays that one pass touches, the pass) over fp32 arrays of `elements`."""
    a, b, c = (torch.full((elements,), value, device=device) for value in (1.0, 2.0, 3.0))
    yield "read", 1, lambda: torch.sum(a)
    yield "copy", 2, lambda: b.copy_(a)
    yield "triad", 3, lambda: torch.add(a, b, alpha=0.5, out=c)


def _memory(device: torch.device, cache: int) -> Iterator[Rate]:
    wanted = GPU_ARRAY if device.type == "cuda" else max(LEAST_ARRAY, BEYOND_CACHE * cache)
    size = min(wanted, free_bytes(device) // MEMORY_SHARE) & ~4095
    for name, arrays, run in _streams(size // 4, device):
        yield _rate(name, "memory", arrays * size, repeated(run, device), arrays * size)


def _cache(device: torch.device, cache: int) -> Iterator[Rate]:
    """The best of each pass over several sizes that fit."""
    found: dict[str, Rate] = {}
    small = () if device.type == "cuda" else SMALL
    for whole in (*(cache // part for part in CACHE_PARTS), *(size for size in small if size < cache)):
        size = whole // 3 & ~4095
        for name, arrays, run in _streams(size // 4, device):
            calls = GRAPH_CALLS if device.type == "cuda" else 1
            timed = repeated(as_graph(run, calls) if calls > 1 else run, device)
            rate = _rate(name, "cache", calls * arrays * size, timed, arrays * size)
            if name not in found or rate.best > found[name].best:
                found[name] = rate
    yield from found.values()


def _rate(name: str, kind: RateKind, amount: float, timed: Repeats, size: int) -> Rate:
    return Rate(name, kind, amount / timed.best, amount / timed.median, len(timed.seconds), size)


Product = Callable[[int], Callable[[], object]]
"""From n to what multiplies two n×n matrices."""


def _products(device: torch.device) -> Iterator[tuple[str, Product]]:
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        yield PRECISIONS[str(dtype).removeprefix("torch.")], _plain(dtype, device)
    if device.type == "cuda":
        yield "tf32", _tf32(device)
        yield "fp8", _fp8(device)


def _plain(dtype: torch.dtype, device: torch.device) -> Product:
    """In full precision for float32, whatever the process was started with."""

    def make(n: int) -> Callable[[], object]:
        a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
        out = torch.empty(n, n, device=device, dtype=dtype)
        return lambda: torch.mm(a, b, out=out)

    return make


def _tf32(device: torch.device) -> Product:
    plain = _plain(torch.float32, device)

    def make(n: int) -> Callable[[], object]:
        run = plain(n)

        def with_tf32() -> None:
            before = torch.backends.cuda.matmul.allow_tf32
            torch.backends.cuda.matmul.allow_tf32 = True
            try:
                run()
            finally:
                torch.backends.cuda.matmul.allow_tf32 = before

        return with_tf32

    return make


def _fp8(device: torch.device) -> Product:
    """e4m3 with one scale for a tensor and fast accumulation: what torch offers of fp8 as one operator."""

    def make(n: int) -> Callable[[], object]:
        a, b = (torch.randn(n, n, device=device).to(torch.float8_e4m3fn) for _ in range(2))
        scale = torch.ones((), device=device)
        multiply: Any = torch._scaled_mm  # pyright: ignore[reportPrivateUsage]  # torch has no public name for it

        return lambda: multiply(a, b.t(), scale_a=scale, scale_b=scale, out_dtype=torch.bfloat16, use_fast_accum=True)

    return make


def _product(name: str, make: Product, device: torch.device) -> Rate:
    """The fastest of growing products, which end where one takes LONG_PRODUCT_S."""
    best: Rate | None = None
    for n in PRODUCTS[device.type]:
        run = make(n)
        run()
        took = min(sample(run, 1, device) for _ in range(2))
        rate = _rate(name, "compute", 2.0 * n**3, repeated(run, device), n)
        best = rate if best is None or rate.best > best.best else best
        if took > LONG_PRODUCT_S:
            break
    assert best is not None, "at least one size is tried"
    return best


def _launches(device: torch.device) -> Iterator[Rate]:
    """Seconds of one operator on one element: called one after the other, and on CUDA also in a replayed graph."""
    tiny = torch.zeros(1, device=device)

    def add() -> None:
        tiny.add_(1.0)

    timed = repeated(add, device)
    yield Rate("as-called", "launch", timed.best, timed.median, len(timed.seconds), 1)
    if device.type == "cuda":
        replay = repeated(as_graph(add, LAUNCHES), device)
        yield Rate("graph", "launch", replay.best / LAUNCHES, replay.median / LAUNCHES, len(replay.seconds), LAUNCHES)


__all__ = ["PRECISIONS", "cache_bytes", "free_bytes", "measure"]
