"""A roofline on the terminal: what the machine can do, where each workload stands, and how much faster it could be."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from outpace_audit.roofline.records import Rate
from outpace_optimizers.roofline.limits import Standing, best_speedup, standings
from outpace_optimizers.roofline.records import Roofline
from outpace_server.output.roofline_text import drawing
from outpace_server.output.words import amount, machine_words, one_line, printable, seconds
from outpace_server.version import VERSION


def show_roofline(console: Console, found: Roofline) -> None:
    called = "forward and backward" if found.measured.trains else "forward only"
    console.print(f"{printable(found.target)} in {printable(found.path)}: {called}", markup=False)
    console.print(f"on {machine_words(found.machine)}, {found.ceilings.threads} threads", markup=False)
    console.print(_ceilings(found))
    stands = standings(found.measured, found.ceilings)
    for number, one in enumerate(stands, 1):
        first, *rest = standing_lines(one)
        for line in (f"{number}. {first}", *rest):
            console.print(line, markup=False)
    for line in drawing(found, stands):
        console.print(line, markup=False)
    for note in found.notes:
        console.print(f"note: {one_line(note)}", markup=False)


def _ceilings(found: Roofline) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("ceiling, measured", "best", "median lower by", "over"):
        table.add_column(heading, justify="left" if heading.startswith("ceiling") else "right")
    for rate in found.ceilings.rates:
        table.add_row(f"{rate.kind} {rate.name}", rate_words(rate), f"{100 * rate.spread:.1f}%", size_words(rate))
    return table


def rate_words(rate: Rate) -> str:
    if rate.kind == "launch":
        return seconds(rate.best)
    return amount(rate.best, "FLOP/s" if rate.kind == "compute" else "B/s")


def size_words(rate: Rate) -> str:
    if rate.kind == "compute":
        return f"{rate.size}³"
    return f"{rate.size} operators" if rate.kind == "launch" else amount(rate.size, "B")


def standing_lines(one: Standing) -> list[str]:
    work, limits = one.work, one.limits
    flops = ", ".join(f"{amount(count, 'FLOP')} {name}" for name, count in work.flops.items()) or "no FLOPs counted"
    quartiles = f"{seconds(one.time.low)} to {seconds(one.time.high)}"
    moved = f"{amount(work.least_bytes, 'B')} at least, {amount(work.moved_bytes, 'B')} as written"
    least = f"compute {seconds(limits.compute_s)}, memory {seconds(limits.memory_s)} "
    least += f"(at {amount(limits.bandwidth, 'B/s')}), one launch {seconds(limits.launch_s)}"
    if one.dispatch_s is not None:
        least += f"; to call its operators one by one {seconds(one.dispatch_s)}"
    return [
        f"{one_line(one.workload)}: {seconds(one.time.seconds)} a call ({quartiles}, {one.time.mode})",
        f"  work       {flops}; {moved}, in {work.operators} operators",
        f"  achieved   {amount(one.flops_per_s, 'FLOP/s')}, {amount(one.bytes_per_s, 'B/s')} of the least bytes",
        f"  at least   {least}",
        f"  {verdict(one)}",
    ]


def verdict(one: Standing) -> str:
    word = f"{one.bound}-bound"
    if one.speedup < 1:
        return f"{word}, and faster than its limit of {seconds(one.limits.seconds)}: see the note, if there is one"
    if one.at_limit:
        return f"{word}, at its limit of {seconds(one.limits.seconds)}: at most {one.speedup:.2f}× to gain"
    return f"{word}: {seconds(one.limits.seconds)} is the limit, at most {one.speedup:.3g}× faster"


def standing_document(one: Standing) -> dict[str, Any]:
    return {
        "workload": one.workload,
        "seconds": one.time.seconds,
        "quartiles": [one.time.low, one.time.high],
        "mode": one.time.mode,
        "flops": one.work.flops,
        "least_bytes": one.work.least_bytes,
        "moved_bytes": one.work.moved_bytes,
        "operators": one.work.operators,
        "flops_per_second": one.flops_per_s,
        "bytes_per_second": one.bytes_per_s,
        "intensity": one.intensity,
        "limit_seconds": one.limits.seconds,
        "compute_seconds": one.limits.compute_s,
        "memory_seconds": one.limits.memory_s,
        "launch_seconds": one.limits.launch_s,
        "dispatch_seconds": one.dispatch_s,
        "cached_share": one.limits.cached_share,
        "bound": one.bound,
        "best_speedup": one.speedup,
    }


def roofline_document(found: Roofline) -> dict[str, Any]:
    """`best_speedup` of all workloads together, weighted by how often they occur; below 1 for a workload that is faster
    than its limit."""
    stands = standings(found.measured, found.ceilings)
    return {
        "outpace": VERSION,
        "target": found.target,
        "path": found.path,
        "trains": found.measured.trains,
        "machine": found.machine,
        "ceilings": found.ceilings,
        "workloads": [standing_document(one) for one in stands],
        "weights": found.weights,
        "best_speedup": best_speedup(stands, found.weights),
        "notes": found.notes,
    }
