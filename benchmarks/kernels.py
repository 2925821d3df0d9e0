"""Our kernels against eager PyTorch and torch.compile of their references, on one GPU.

    python benchmarks/kernels.py --device cuda [--seconds 150] [--out FILE] [--only rms_norm]
    python benchmarks/kernels.py --smoke      every case at tiny shapes under Triton's interpreter, on the CPU

All arms run in one process, as CUDA graphs, in shuffled turns, each replay after a sweep of the L2 cache; times are
CUDA events. An arm whose results are not the reference's is not timed. Ratios are medians over turns, with the 95%
interval of the median by order statistics. What FILE holds of the same source on the same GPU is not measured again.
Other processes fill the compile caches first (`--workers`).
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kernels")]
if "--smoke" in sys.argv:
    os.environ["TRITON_INTERPRET"] = "1"

import torch  # noqa: E402
from kernel_case import Case, Tensors  # noqa: E402
from kernel_cases import cases  # noqa: E402

SWEEP_BYTES = 256 * 2**20
"""Read between replays: several times the L2 cache of any GPU so far. Written, it would leave dirty lines to evict."""
MOST_TURNS, LEAST_TURNS, TURN_SECONDS = 60, 15, 0.8
TOLERANCE = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 4e-2}
"""Of the largest value: that an arm computes the same thing at all. How well is for the tests to say."""


def main() -> None:
    args = arguments()
    deadline = time.monotonic() + args.seconds
    chosen = [case for case in cases() if not args.only or case.kernel.split()[0] in args.only]
    if args.part:
        number, count = map(int, args.part.split("/"))
        compile_all(chosen[number::count], deadline)
        return
    device = "cpu" if args.smoke else args.device
    out = args.out or HERE / "results" / f"kernels-{machine(device)['name'].lower().replace(' ', '-')}.json"
    kept = read(out, device)
    todo = [(case, mode) for case in chosen for mode in case.modes if not is_kept(kept, case, mode)]
    if device == "cuda" and todo and args.workers:
        warm(args, min(args.seconds * 0.6, 100.0))
    kept.setdefault("copy_bytes_per_s", copy_rate(device))
    for case, mode in todo:
        if time.monotonic() > deadline:
            print(f"the deadline of {args.seconds:.0f} s has passed: run again to go on", flush=True)
            break
        kept["results"][f"{case.name} {mode}"] = result = measured(case, mode, device)
        print(line(case, mode, result, kept["copy_bytes_per_s"]), flush=True)
        if not args.smoke:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(kept, indent=1) + "\n")
    if args.smoke and any("error" in result for result in kept["results"].values()):
        sys.exit(1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda",), default="cuda")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--out", type=Path, help="default: results/kernels-GPU.json")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args()


def read(path: Path, device: str) -> dict[str, Any]:
    """What was kept by this machine's like, or the head of a new file."""
    head = {"machine": machine(device), "commit": commit(), "results": {}}
    if device == "cpu" or not path.is_file():
        return head
    kept = json.loads(path.read_text())
    return kept if kept["machine"] == head["machine"] else head


def machine(device: str) -> dict[str, str]:
    import triton

    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return {"name": name, "torch": torch.__version__, "triton": triton.__version__}


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True)
    return done.stdout.strip()


def fingerprint(case: Case) -> str:
    return hashlib.sha256(b"".join(source.read_bytes() for source in case.sources)).hexdigest()[:16]


def is_kept(kept: dict[str, Any], case: Case, mode: str) -> bool:
    result = kept["results"].get(f"{case.name} {mode}", {})
    return result.get("source") == fingerprint(case) and "error" not in result


def warm(args: argparse.Namespace, seconds: float) -> None:
    """Other processes run every arm once, which leaves it compiled in the caches on disk."""
    environment = {**os.environ, "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    only = ["--only", *args.only] if args.only else []
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "--part", f"{part}/{args.workers}", "--seconds", str(seconds), *only],
            env=environment,
        )
        for part in range(args.workers)
    ]
    end = time.monotonic() + seconds + 20
    for worker in workers:
        try:
            worker.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            worker.kill()


def compile_all(chosen: list[Case], deadline: float) -> None:
    for case in chosen:
        for mode in case.modes:
            if time.monotonic() > deadline:
                return
            try:
                for step in steps(case, mode, "cuda").values():
                    step()
                torch.cuda.synchronize()
            except Exception as error:  # the measuring process meets it again, and records it
                print(f"{case.name} {mode}: {type(error).__name__} while compiling", flush=True)
            torch.compiler.reset()
            clean()


def steps(case: Case, mode: str, device: str) -> dict[str, Callable[[], Tensors]]:
    """The arms: each runs one call and gives outputs and gradients."""
    torch.manual_seed(0)
    tensors = case.make(device, case.dtype, device == "cpu")
    backward = mode != "forward"
    if backward:
        tensors = [item.requires_grad_() if at in case.wanted else item for at, item in enumerate(tensors)]
    with torch.no_grad():
        outputs = as_tuple(case.reference(*tensors))
    flows = [torch.randn(out.shape, device=device).to(out.dtype) for out in outputs]
    leaves = [tensors[at] for at in case.wanted]

    def step_of(function: Callable[..., Any]) -> Callable[[], Tensors]:
        def forward() -> Tensors:
            with torch.no_grad():
                return list(as_tuple(function(*tensors)))

        def both() -> Tensors:
            made = as_tuple(function(*tensors))
            return [*(out.detach() for out in made), *torch.autograd.grad(made, leaves, flows)]

        return both if backward else forward

    arms = {"eager": step_of(case.reference), "ours": step_of(case.ours)}
    arms |= {name: step_of(other) for name, other in case.others.items()}
    if device == "cuda":
        arms["compile"] = step_of(torch.compile(lambda *inputs: case.reference(*inputs), dynamic=False))
    return arms


def as_tuple(outputs: Any) -> tuple[Any, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def measured(case: Case, mode: str, device: str) -> dict[str, Any]:
    """Medians, ratios and samples; or the error that ended it."""
    result: dict[str, Any] = {"source": fingerprint(case)}
    try:
        arms = steps(case, mode, device)
        result["apart"], wrong = compared(arms, case.tolerance or TOLERANCE[case.dtype])
        if wrong.keys() - case.others.keys():
            return result | {"error": next(wrong[name] for name in arms if name in wrong)}
        for name, said in wrong.items():  # another way may fail, and is not timed then
            del arms[name]
            result.setdefault("left_out", {})[name] = said
        moved = case.moved[mode != "forward"] * case.unit(arms_inputs(case, device)) * case.dtype.itemsize
        times = timed(arms, device)
        result |= summary(times, moved)
    except Exception as error:  # one kernel's failure must not cost the others their numbers
        result |= {"error": f"{type(error).__name__}: {str(error)[:2000]}"}
    finally:
        torch.compiler.reset()
        clean()
    return result


def arms_inputs(case: Case, device: str) -> Tensors:
    return case.make("cpu" if device == "cpu" else "meta", case.dtype, device == "cpu")


def compared(arms: dict[str, Callable[[], Tensors]], tolerance: float) -> tuple[dict[str, list[float]], dict[str, str]]:
    """How far each result of each arm is from the reference's, root mean square over root mean square; and, in words,
    of which arms a result is not the reference's.
    """
    expected = arms["eager"]()
    apart, wrong = dict[str, list[float]](), dict[str, str]()
    for name, step in arms.items():
        try:
            made = step()
        except Exception as error:
            wrong[name] = f"{name}: {type(error).__name__}: {str(error)[:1000]}"
            continue
        apart[name] = []
        for place, (one, other) in enumerate(zip(made, expected, strict=True)):
            said, error = difference(one, other, tolerance)
            apart[name].append(error)
            if said:
                wrong[name] = f"{name} {said}: result {place}"
    return apart, wrong


def difference(one: torch.Tensor, other: torch.Tensor, tolerance: float) -> tuple[str, float]:
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"gives {one.dtype} {tuple(one.shape)}, not {other.dtype} {tuple(other.shape)}", math.inf
    error, largest = one.float() - other.float(), float(other.abs().max())
    apart = float(f"{float(error.norm()) / max(float(other.float().norm()), 1e-30):.3g}")
    most = float(error.abs().max())
    said = f"is {most:.3g} away from the reference, whose largest is {largest:.3g}"
    return "" if most <= tolerance * largest else said, apart


def timed(arms: dict[str, Callable[[], Tensors]], device: str) -> dict[str, list[float]]:
    """Seconds of each arm, turn by turn."""
    if device == "cpu":
        return {name: [clocked(step) for _ in range(2)] for name, step in arms.items()}
    sweep = torch.zeros(SWEEP_BYTES // 4, device="cuda")
    replays = {name: captured(step) for name, step in arms.items()}
    guess = sum(one_replay(replay, sweep)[0] for replay in replays.values()) + 1e-4 * len(replays)
    turns = min(max(int(TURN_SECONDS / guess), LEAST_TURNS), MOST_TURNS)
    order, events = list(replays), {name: list[tuple[Any, Any]]() for name in replays}
    for _ in range(turns):
        random.shuffle(order)
        for name in order:
            sweep.sum()
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            replays[name]()
            end.record()
            events[name].append((start, end))
    torch.cuda.synchronize()
    return {name: [start.elapsed_time(end) / 1e3 for start, end in pairs] for name, pairs in events.items()}


def captured(step: Callable[[], Tensors]) -> Callable[[], None]:
    """The step as a CUDA graph, which is warm."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        held = step()

    def replay() -> None:
        graph.replay()

    replay.held = held  # type: ignore[attr-defined]  # what the graph writes to
    return replay


def one_replay(replay: Callable[[], None], sweep: torch.Tensor) -> tuple[float]:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for _ in range(3):
        sweep.sum()
        start.record()
        replay()
        end.record()
    torch.cuda.synchronize()
    return (start.elapsed_time(end) / 1e3,)


def clocked(step: Callable[[], Any]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def copy_rate(device: str) -> float:
    """Bytes read and written each second by the better of two copies of 1 GiB: the driver's, and a pointwise kernel's.
    On an H200 the driver's made 2.8 TB/s where pointwise kernels made 4.3.
    """
    size = 2**28 if device == "cuda" else 2**18
    one, other = (torch.zeros(size, device=device) for _ in range(2))
    arms: dict[str, Callable[[], Tensors]] = {
        "driver": lambda: [other.copy_(one)],
        "kernel": lambda: [torch.neg(one, out=other)],
    }
    return max(2 * 4 * size / statistics.median(times) for times in timed(arms, device).values())


def summary(times: dict[str, list[float]], moved: float) -> dict[str, Any]:
    medians = {name: statistics.median(values) for name, values in times.items()}
    result: dict[str, Any] = {
        "seconds": medians,
        "turns": len(times["ours"]),
        "moved_bytes": moved,
        "samples": {name: [float(f"{value:.4g}") for value in values] for name, values in times.items()},
    }
    for name in set(times) - {"ours"}:
        ratios = [theirs / ours for theirs, ours in zip(times[name], times["ours"], strict=True)]
        result[f"over_{name}"] = {"ratio": statistics.median(ratios), "interval": median_interval(ratios)}
    return result


def median_interval(values: list[float]) -> list[float]:
    """Order statistics that hold the median with at least 95%, by the normal approximation of the binomial."""
    ordered, count = sorted(values), len(values)
    reach = 1.96 * math.sqrt(count) / 2
    low, high = math.floor(count / 2 - reach), math.ceil(count / 2 + reach)
    return [ordered[max(low - 1, 0)], ordered[min(high, count - 1)]]


def clean() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def line(case: Case, mode: str, result: dict[str, Any], copy: float) -> str:
    if "error" in result:
        return f"{case.name} {mode}: {result['error'].splitlines()[0][:300]}"
    rates = " ".join(f"{name} {seconds * 1e6:.1f} µs" for name, seconds in result["seconds"].items())
    over = result.get("over_compile") or result["over_eager"]
    low, high = over["interval"]
    timed_too = [name for name in case.others if name in result["seconds"]]
    others = "".join(f", {result[f'over_{name}']['ratio']:.3f}x {name}" for name in timed_too)
    others += "".join(f", {said.splitlines()[0][:120]}" for said in result.get("left_out", {}).values())
    apart = ", ".join(f"{name} {max(result['apart'][name]):.2g}" for name in ("ours", *timed_too))
    error = f"; error {apart}" if case.tolerance else ""
    moved = result["moved_bytes"] / result["seconds"]["ours"]
    share = f", {moved / 1e12:.2f} TB/s, {moved / copy:.0%} of copy" if moved else ""
    return f"{case.name} {mode}: {rates}; {over['ratio']:.3f}x [{low:.3f}, {high:.3f}]{others}{share}{error}"


if __name__ == "__main__":
    main()
