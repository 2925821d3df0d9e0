"""Evidence as an audit leaves it, with made-up times: seeds, samples, intervals and hashes fit together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from outpace_audit.records import Check, Code, Idea, Machine, Patch, Seeds, Span, Verdict, Workload
from outpace_audit.samples import ProcessPair, Samples, Window
from outpace_audit.seeds import SeedSource
from outpace_audit.stats import estimate, median
from outpace_audit.timing import timing_of
from outpace_optimizers.evidence import Evidence, Project, mean_log_ratios
from outpace_optimizers.records import Target
from outpace_optimizers.source import base_hash
from outpace_optimizers.stored_trial import StoredTrial

BASELINE = "import torch\n\n\ndef work(x):\n    return x + x\n\n\ndef get_inputs():\n    return [torch.ones(3)]\n"
CANDIDATE = BASELINE.replace("x + x", "2 * x")
CONFIDENCE = 0.98
PEAK = 1e11
PROFILE = {"q50": 1e-8, "q90": 4e-8, "q99": 6e-8, "q999": 9e-8, "max": 2e-7, "row": 5e-8, "channel": 5e-8}
MACHINE = Machine(
    "cpu", "Test CPU", "", "Test CPU", 2, "3.11.7", "2.13.0", None, None, None, {"peak_bytes_per_s": PEAK}
)


def make_evidence(root: Path, workloads: tuple[str, ...] = ("get_inputs",), pairs: int = 7, **verdict: Any) -> Evidence:
    seeds = SeedSource()
    measured = tuple(_pair(workloads, number, seeds) for number in range(pairs))
    code = Code(str(root / "work.py"), BASELINE, "work", "function")
    patch = Patch(code.path, base_hash(BASELINE), CANDIDATE, (Span("work"),))
    idea = Idea("audit", "double by multiplying", "one read less", "tolerant", patch)
    target = Target(code, tuple(Workload(name, "get_inputs", "declared", entry="get_inputs") for name in workloads))
    trial = StoredTrial(
        target, idea, _verdict(measured, workloads, seeds.revealed(), verdict), False, "tolerant", 0, False,
        "/usr/bin/python3", False,
    )  # fmt: skip
    return Evidence(
        written_at=2.0,
        committed_at=1.0,
        trial=trial,
        sha256={"baseline": base_hash(BASELINE), "candidate": base_hash(CANDIDATE)},
        project=Project(str(root), {"work.py": base_hash(BASELINE)}),
        target_seeds=SeedSource().revealed(),
        pairs=measured,
    )


def _pair(workloads: tuple[str, ...], number: int, seeds: SeedSource) -> ProcessPair:
    samples = tuple(
        Samples(
            workload, "as-called", (100, 140), (1e-4, 1e-4), (5e-5, 5e-5),
            tuple(
                Window(seeds.seed("window"), "baseline", (0.03 + 1e-4 * number + 1e-5 * i, 0.0299), (0.03, 0.0298))
                for i in range(3)
            ),
        )
        for workload in workloads
    )  # fmt: skip
    return ProcessPair("confirmation", "candidate", 0.01, samples)


def _verdict(
    pairs: tuple[ProcessPair, ...], workloads: tuple[str, ...], seeds: Seeds, changes: dict[str, Any]
) -> Verdict:
    timings = tuple(_timing([pair.samples[i] for pair in pairs]) for i in range(len(workloads)))
    mean = estimate(mean_log_ratios(timings), CONFIDENCE)
    errors = [{"workload": workloads[0], "path": "output", "baseline": PROFILE, "candidate": {**PROFILE, "max": 3e-7}}]
    checks = (
        Check("contract", "L1", True, "outputs as the baseline's in 3 calls"),
        Check("outputs-against-truth", "L2", True, "3 calls", numbers={"ratio": float("inf"), "errors": errors}),
        Check("physical-floor", "L4", True, "2% of peak", numbers={"floors_s": {workloads[0]: 4e-6}}),
        Check("speedup", "L4", True, "faster", threshold="lower bound above 1.02", numbers={"needed": 1.02}),
    )
    verdict = Verdict(
        "0123456789abcdef", True, "every check passed", "tolerant", "L4", mean.ratio, mean.ratio_interval, timings,
        checks, MACHINE, ("net-ns", "pid-ns"), False, "fp64, every operation lifted", seeds=seeds,
    )  # fmt: skip
    return replace(verdict, **changes)


def _timing(samples: list[Samples]) -> Any:
    log_ratios = tuple(one.log_ratio() for one in samples)
    baseline_s, candidate_s = (median([one.seconds()[i] for one in samples]) for i in (0, 1))
    found = estimate(log_ratios, CONFIDENCE)
    return timing_of(samples[0].workload, found, "as-called", log_ratios, baseline_s, candidate_s)
