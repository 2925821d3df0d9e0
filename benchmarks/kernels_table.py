"""The tables of docs/kernels.md, from what benchmarks/kernels.py has kept.

python benchmarks/kernels_table.py benchmarks/results/kernels-nvidia-h200.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

HEAD = """| kernel, shape | ours, µs | × eager | × compile [95%] | forward alone, × compile | × others | TB/s |
|---|---|---|---|---|---|---|"""
FORWARD, BOTH = "forward", "forward+backward"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    kept = json.loads(parser.parse_args().file.read_text())
    print(f"{kept['machine']['name']}, torch {kept['machine']['torch']}, Triton {kept['machine']['triton']}\n\n{HEAD}")
    for row in rows(kept["results"]):
        print(row)


def rows(results: dict[str, Any]) -> list[str]:
    """One for each case that was measured, by name."""
    cases: dict[str, dict[str, Any]] = {}
    for key, result in results.items():
        name, mode = key.rsplit(" ", 1)
        if "error" not in result:
            cases.setdefault(name, {})[mode] = result
    return [row(name, modes) for name, modes in sorted(cases.items())]


def row(name: str, modes: dict[str, Any]) -> str:
    decides = modes.get(BOTH) or modes[FORWARD]
    alone = f"{modes[FORWARD]['over_compile']['ratio']:.2f}" if len(modes) > 1 else ""
    low, high = decides["over_compile"]["interval"]
    others = ", ".join(
        f"{arm} {decides[f'over_{arm}']['ratio']:.2f}"
        for arm in decides["seconds"]
        if arm not in ("eager", "ours", "compile")
    )
    moved, seconds = decides["moved_bytes"], decides["seconds"]["ours"]
    rate = f"{moved / seconds / 1e12:.2f}" if moved else ""
    label = name.replace("bfloat16", "bf16").replace("float32", "fp32").replace("float16", "fp16")
    cells = (
        label,
        f"{seconds * 1e6:.0f}" + ("" if BOTH in modes else ", forward"),
        f"{decides['over_eager']['ratio']:.2f}",
        f"{decides['over_compile']['ratio']:.3f} [{low:.3f}, {high:.3f}]",
        alone,
        others,
        rate,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
