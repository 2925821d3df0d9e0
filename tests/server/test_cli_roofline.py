"""`outpace roofline` by hand: one real run on a small file, what it keeps and draws, and wrong words."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from outpace_audit.roofline.records import Ceilings, Measured, Work
from outpace_optimizers.roofline.limits import standings
from outpace_optimizers.roofline.store import known
from outpace_server.output.roofline_text import drawing
from outpace_server.output.roofline_view import show_roofline, verdict
from outpace_server.output.words import amount
from outpace_server.report.roofline_page import roofline_drawing, roofline_page
from roofline_maker import CACHED, CEILINGS, measured, point, roofline

ROOFS = ("roof", "other")
SOURCE = """import torch


def scores(queries, keys):
    return torch.softmax(queries @ keys.t(), -1)


def get_inputs():
    return [torch.randn(48, 32), torch.randn(64, 32)]
"""


def outpace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outpace_server.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)


def svg_of(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + len("</svg>")])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").touch()
    (folder / "attention.py").write_text(SOURCE)
    return folder


@pytest.mark.slow
def test_a_real_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    ran = outpace(project, "roofline", "attention.py", "--device", "cpu", "--json", "--output", "drawn.svg")
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    (one,) = document["workloads"]
    assert one["flops"] == {"fp32": 2 * 48 * 64 * 32}
    assert one["least_bytes"] == 4 * (48 * 32 + 64 * 32 + 48 * 64)
    assert one["operators"] == 2 and not document["trains"]
    parts = [one[f"{part}_seconds"] for part in ("compute", "memory", "launch")]
    assert all(part > 0 for part in parts) and one["limit_seconds"] == max(parts)
    assert one["best_speedup"] == pytest.approx(one["seconds"] / one["limit_seconds"])
    assert one["bytes_per_second"] == pytest.approx(one["least_bytes"] / one["seconds"])
    rates = {(rate["kind"], rate["name"]): rate["best"] for rate in document["ceilings"]["rates"]}
    assert one["compute_seconds"] == pytest.approx(2 * 48 * 64 * 32 / rates["compute", "fp32"])
    assert one["launch_seconds"] == rates["launch", "as-called"]
    (kept,) = known(project / ".outpace")
    assert kept.target == "scores" and kept.measured.points[0].work.total_flops == 2 * 48 * 64 * 32
    svg = svg_of((project / "drawn.svg").read_text())
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    disturbed = any("disturbed" in note for note in document["notes"])
    assert list((project / "cache").rglob("ceilings-*.json")) != [] or disturbed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.py"], "missing.py: no such file or folder"),
        (["attention.py", "--target", "score"], "did you mean scores?"),
        (["attention.py", "--output", "drawn.png"], "end its name with .html for a page or .svg for a picture"),
    ],
)
def test_wrong_words(project: Path, arguments: list[str], message: str) -> None:
    ran = outpace(project, "roofline", *arguments)
    assert ran.returncode == 2 and ran.stdout == ""
    assert message in ran.stderr and len(ran.stderr.splitlines()) == 1


def shown(ceilings: Ceilings, found: Measured) -> str:
    console = Console(width=120, highlight=False, soft_wrap=True)
    with console.capture() as capture:
        show_roofline(console, roofline(ceilings=ceilings, measured=found, notes=("a [b]note[/b]",)))
    return capture.get()


def test_the_terminal_says_what_holds_it_and_draws_it() -> None:
    text = shown(CEILINGS, measured())
    assert "compute-bound: 10 ms is the limit, at most 2× faster" in text
    assert "1 GFLOP fp32; 10 MB at least, 30 MB as written, in 5 operators" in text
    assert "note: a [b]note[/b]" in text
    assert "/" in text and "─────" in text and "FLOP/B" in text


def test_without_flops_the_terminal_draws_bars() -> None:
    still = point(Work({}, 4e6, 0.0, 4e6, 0.0, 2, 8e6))
    (one,) = stands = standings(measured(still), CEILINGS)
    lines = drawing(roofline(measured=measured(still)), stands)
    assert [line.split()[0] for line in lines] == ["memory", "one", "operators", "a"]
    lengths = [line.count("█") for line in lines]
    assert lengths[1] < lengths[2] < lengths[0] < lengths[3]
    assert verdict(one) == "memory-bound: 800 µs is the limit, at most 25× faster"


def test_faster_than_its_limit_is_no_percentage() -> None:
    (one,) = standings(measured(point(seconds=5e-3)), CEILINGS)
    assert verdict(one).startswith("compute-bound, and faster than its limit of 10 ms")


@pytest.mark.parametrize("ceilings", [CEILINGS, CACHED])
def test_the_page_has_a_roofline_and_limits_and_runs_nothing(ceilings: Ceilings) -> None:
    page = roofline_page(roofline(ceilings=ceilings, target="a<b", measured=measured(point(), point(seconds=40e-3))))
    assert page.count("<svg") == 3 and "a&lt;b" in page and "a<b" not in page
    assert "<script" not in page and "Ceilings" in page
    svg = svg_of(page)
    assert len(svg.findall("circle")) == 2, "one for each workload"
    low, high = (float(circle.attrib["cy"]) for circle in svg.findall("circle"))
    assert high > low, "the slower one is further down"


def test_the_page_of_what_has_no_flops_has_its_limits_alone() -> None:
    found = roofline(measured=measured(point(Work({}, 4e6, 0.0, 4e6, 0.0, 2, 8e6))))
    assert roofline_page(found).count("<svg") == 1
    assert svg_of(roofline_drawing(found)).tag.endswith("svg")


def test_the_memory_roof_rises_to_the_highest_peak() -> None:
    svg = svg_of(roofline_drawing(roofline()))
    lines = [line.attrib for line in svg.iter("{http://www.w3.org/2000/svg}line") if line.get("class") in ROOFS]
    flat = [float(line["y1"]) for line in lines if line["y1"] == line["y2"]]
    (rising,) = (line for line in lines if line["y1"] != line["y2"])
    assert float(rising["y2"]) == pytest.approx(min(flat)) and float(rising["y1"]) > max(flat)
    assert float(rising["x2"]) > float(rising["x1"])


def test_rates_in_words() -> None:
    assert [amount(value, "B/s") for value in (12.34e9, 999.0, 1.5e12)] == ["12.3 GB/s", "999 B/s", "1.5 TB/s"]
