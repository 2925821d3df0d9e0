"""Drawings that a reader can read: no name on another, none that breaks the page."""

from __future__ import annotations

import re
from itertools import combinations

from outpace_optimizers.profiles.records import Lane, Stretch, Timeline
from outpace_server.report.plots import LETTER, Roof, roofline_plot
from outpace_server.report.timeline_plot import timeline_plot

H100 = [
    Roof("fp32, 51.6 TFLOP/s", 51.6e12, False, "other"), Roof("fp64, 62.3 TFLOP/s", 62.3e12, False, "other"),
    Roof("bf16, 755 TFLOP/s", 755e12, False, "roof"), Roof("fp16, 714 TFLOP/s", 714e12, False, "other"),
    Roof("memory, 3.06 TB/s", 3.06e12, True, "roof"), Roof("cache, 5.12 TB/s", 5.12e12, True, "roof"),
]  # fmt: skip
TEXT = re.compile(r'<text x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" text-anchor="(?P<anchor>\w+)">(?P<text>[^<]*)</text>')


def boxes(svg: str, names: set[str]) -> list[tuple[float, float, float]]:
    """Left end, right end and line of the names."""
    found: list[tuple[float, float, float]] = []
    for one in TEXT.finditer(svg):
        if one["text"] in names:
            x, width = float(one["x"]), LETTER * len(one["text"])
            left = x - width if one["anchor"] == "end" else x
            found.append((left, left + width, float(one["y"])))
    return found


def test_the_names_of_close_ceilings_do_not_cover_each_other() -> None:
    svg = roofline_plot("R", "said", H100, [(512, 51.4e12, 755e12)])
    found = boxes(svg, {roof.name for roof in H100})
    assert len(found) == len(H100)
    for (left, right, y), (start, end, line) in combinations(found, 2):
        assert right <= start or end <= left or abs(y - line) >= 12


def test_a_timeline_has_a_row_for_each_lane_and_one_colour_for_one_name() -> None:
    lanes = (
        Lane("host", (Stretch(0.0, 0.6, "Block.forward", False), Stretch(0.6, 0.4, "Block.forward", True))),
        Lane("device 7", (Stretch(0.1, 0.001, "void k<int, 3>(float*)", False),)),
    )
    svg = timeline_plot(Timeline(1.0, lanes))
    assert svg.count('class="part0"') == 1 and svg.count('class="part0 back"') == 1 and svg.count('class="part1"') == 1
    assert "<title>Block.forward, backward: 400 ms</title>" in svg
    assert "<title>void k&lt;int, 3&gt;(float*): 1 ms</title>" in svg
    assert svg.count(">Block.forward</text>") == 2  # they fit
    assert ">void k" not in svg.replace("<title>void k", "")
