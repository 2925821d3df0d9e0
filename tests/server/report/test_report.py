"""Reports: everything that an audit found is in them, and nothing that a candidate wrote is taken for markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from evidence_maker import make_evidence
from outpace_audit.records import Check
from outpace_optimizers.evidence import Evidence, write_evidence
from outpace_server.cli import main
from outpace_server.report.html import page
from outpace_server.report.markdown import markdown
from outpace_server.report.record import Record, record_of
from outpace_server.report.style import STYLE

HOSTILE = """"><script>alert('x')</script><img src=x onerror=alert(1)>|`'\x1b[31m\u202e&amp;"""
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2", "p", "b", "strong"),
    *("dl", "dt", "dd", "code", "pre", "span", "div", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("figure", "figcaption", "svg", "g", "line", "rect", "circle", "path", "text"),
}


class Reader(HTMLParser):
    """Tags, attributes, and text; fails on a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def record(tmp_path: Path, **verdict: Any) -> Record:
    return record_of(make_evidence(tmp_path, ("small", "large"), **verdict), tmp_path / "e.json")


def hostile(tmp_path: Path) -> Evidence:
    evidence = make_evidence(tmp_path, (HOSTILE,))
    trial = evidence.trial
    verdict = replace(
        trial.verdict, accepted=False, reason=HOSTILE, truth=HOSTILE, protections=(HOSTILE,),
        machine=replace(trial.verdict.machine, name=HOSTILE),
        checks=(*trial.verdict.checks, Check("speedup", "L4", False, HOSTILE, HOSTILE, {"needed": HOSTILE})),
    )  # fmt: skip
    idea = replace(trial.idea, title=HOSTILE, rationale=HOSTILE)
    idea = replace(idea, patch=replace(idea.patch, new_source=f"# {HOSTILE}\n```\n"))
    target = replace(trial.target, notes=(HOSTILE,), code=replace(trial.target.code, symbol=HOSTILE))
    return replace(evidence, trial=replace(trial, idea=idea, verdict=verdict, target=target))


def test_the_page_holds_what_was_found(tmp_path: Path) -> None:
    one = record(tmp_path)
    text = read(page(one)).text
    verdict = one.verdict
    for check in verdict.checks:
        assert check.name in text and check.evidence in text and check.threshold in text
    assert verdict.seeds is not None
    for word in ("✓ accepted", "1.42×", "small", "large", "outpace replay", "Test CPU", "net-ns", verdict.seeds.root):
        assert word in text
    assert "+    return 2 * x" in text


def test_a_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    html = page(record(tmp_path))
    reader = read(html)
    assert reader.tags <= ALLOWED
    assert not {name for name in reader.attributes if name.startswith("on") or name in ("href", "src")}
    assert "default-src 'none'" in unescape(html) and "url(" not in html


def test_nothing_that_a_candidate_wrote_is_markup(tmp_path: Path) -> None:
    evidence = hostile(tmp_path)
    html = page(record_of(evidence, tmp_path / f"{HOSTILE}.json"))
    reader = read(html)
    assert reader.tags <= ALLOWED
    assert not {name for name in reader.attributes if name.startswith("on") or name in ("href", "src")}
    assert reader.text.count("<script>alert('x')</script>") > 10
    assert "\x1b" not in html and "\u202e" not in html


def test_markdown_is_no_html_and_its_diff_cannot_end_its_own_block(tmp_path: Path) -> None:
    text = markdown(record_of(hostile(tmp_path), tmp_path / "e.json"))
    outside = re.sub(r"^(`{3,})diff\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in outside and "&lt;script" in outside
    assert "````diff" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def svgs(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def of_class(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [node for node in svg.iter() if node.get("class") == name]


def test_every_window_and_pair_is_drawn_and_every_plot_has_a_name(tmp_path: Path) -> None:
    html = page(record(tmp_path))
    drawings = svgs(html)
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in drawings)
    overall, small, large, errors, floor = drawings
    assert [len(of_class(svg, "dot")) for svg in (overall, small, large)] == [0, 21, 21]
    assert [len(of_class(svg, "median")) for svg in (overall, small, large)] == [7, 7, 7]
    assert [len(of_class(svg, "needed")) for svg in (overall, small, large, floor)] == [1, 0, 0, 1]
    assert len(of_class(errors, "ring")) == len(of_class(errors, "candidate")) == 5


def test_whatever_scrolls_is_reached_by_keyboard_in_the_order_of_the_page_and_has_a_name(tmp_path: Path) -> None:
    html = page(record(tmp_path))
    scrolling = re.findall(r"<(?:div class=\"wide\"|pre)([^>]*)>", html)
    names = [unescape(match) for text in scrolling for match in re.findall(r'aria-label="([^"]*)"', text)]
    assert all('tabindex="0"' in text and 'role="region"' in text for text in scrolling)
    assert len(names) == len(scrolling) == html.count("tabindex=") == len(set(names))
    assert sum(name.startswith("plot: ") for name in names) == len(svgs(html))
    assert names[-1] == "diff"


def test_headings_and_landmarks_are_one_tree(tmp_path: Path) -> None:
    html = page(record(tmp_path))
    assert re.findall(r"<h\d", html) == ["<h1"] + ["<h2"] * html.count("<section ")
    assert re.findall(r'<section aria-label="([^"]*)"', html) == re.findall(r"<h2>([^<]*)</h2>", html)
    assert html.count("<main>") == 1


def test_with_forced_colours_no_colour_of_ours_is_left() -> None:
    root = re.search(r":root \{([^}]*)\}", STYLE)
    forced = re.search(r"forced-colors: active\) \{ :root \{([^}]*)\}", STYLE)
    assert root and forced
    assert set(re.findall(r"--\w+", root[1])) == set(re.findall(r"--\w+", forced[1]))
    assert "#" not in forced[1]


def test_the_band_is_the_interval_and_the_rules_stand_where_their_numbers_say(tmp_path: Path) -> None:
    overall = svgs(page(record(tmp_path)))[0]
    (band,), (mean,), (one,), (needed,) = (of_class(overall, name) for name in ("band", "mean", "one", "needed"))
    left, width = float(band.get("x", "")), float(band.get("width", ""))
    assert left < float(mean.get("x1", "")) < left + width
    assert float(one.get("x1", "")) < float(needed.get("x1", "")) < left


def test_a_rejection_without_times_has_neither_plots_nor_empty_sections(tmp_path: Path) -> None:
    failed = (Check("contract", "L1", False, "2 outputs, the baseline has 1"),)
    one = record(
        tmp_path, accepted=False, reason="contract: 2 outputs", timings=(), speedup=None, interval=None, checks=failed
    )
    html = page(one)
    assert "✗ rejected" in html and "2 outputs, the baseline has 1" in html
    assert "<svg" not in html and "Speed" not in html
    assert "**rejected: contract: 2 outputs**" in markdown(one)


@pytest.mark.parametrize("numbers", [{"errors": "no list"}, {"errors": [1, {"path": 3}]}, {"errors": []}, {}])
def test_numbers_of_another_form_are_left_out(tmp_path: Path, numbers: dict[str, Any]) -> None:
    checks = (Check("outputs-against-truth", "L2", True, "fine", numbers=numbers),)
    one = record(tmp_path, checks=checks)
    assert one.errors == [] and one.floors_s == {}
    assert "against truth</strong>" not in page(one)


def test_the_editor_has_the_same_document_without_a_file(tmp_path: Path) -> None:
    with_file = record(tmp_path)
    assert markdown(Record(with_file.trial)) == markdown(with_file)
    assert "| small | as-called | 1.41× |" in markdown(with_file)


def test_the_command_finds_evidence_by_id_and_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evidence = make_evidence(tmp_path)
    path = tmp_path / ".outpace" / "evidence" / f"{evidence.trial.verdict.id}.json"
    write_evidence(path, evidence)
    assert main(["report", evidence.trial.verdict.id, "--workspace", str(tmp_path)]) == 0
    by_id = capsys.readouterr().out
    assert by_id.startswith("<!doctype html>")
    assert main(["report", str(path), "--output", str(tmp_path / "r.html")]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "r.html").read_text() == by_id
    assert main(["report", str(path), "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("# work: double by multiplying")


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "abc", "--workspace", str(tmp_path)]) == 2
    assert "no evidence of verdict 'abc'" in capsys.readouterr().err
    write_evidence(tmp_path / "e.json", make_evidence(tmp_path))
    assert main(["report", str(tmp_path / "e.json"), "--output", str(tmp_path / "no" / "r.html")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
