"""The documentation keeps up with the code: pages of rules, names of checks, links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomllib

from outpace_optimizers.rules import load_rules
from outpace_optimizers.training_rules.registry import load_training_rules

ROOT = Path(__file__).parents[1]
AUDIT = ROOT / "audit/outpace_audit"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    return LINK.findall(FENCED.sub("", page.read_text()))


def check_names() -> Iterator[str]:
    """Each check's NAME, and the names that judge and confirmation give to failures of their own."""
    for path in AUDIT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NAME":
                yield ast.literal_eval(node.value)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Check":
                yield from (str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))


@pytest.mark.parametrize("rule", [rule.id for rule in load_rules().rules])
def test_every_rule_has_a_page_that_the_index_links(rule: str) -> None:
    page = ROOT / "docs/rules" / f"{rule}.md"
    assert page.read_text().startswith(f"# {rule}\n")
    assert page.name in links(page.with_name("README.md"))


def test_every_page_of_a_rule_has_its_rule() -> None:
    pages = {page.stem for page in (ROOT / "docs/rules").glob("*.md")} - {"README"}
    assert pages == {rule.id for rule in (*load_rules().rules, *load_training_rules()[0])}


def test_every_check_is_in_the_reference() -> None:
    names = set(check_names())
    assert len(names) > 10
    reference = (ROOT / "docs/audit.md").read_text()
    assert not {name for name in names if f"`{name}`" not in reference}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    broken: list[str] = []
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize(
    ("group", "what"), [("rules", "rewrite functions"), ("training_rules", "edit whole training scripts")]
)
def test_the_readme_counts_the_rules_there_are(group: str, what: str) -> None:
    found = re.search(rf"\[(\d+) rules\]\(docs/rules/README\.md\) that {what}", (ROOT / "README.md").read_text())
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert found is not None
    assert int(found[1]) == len(points[f"outpace.{group}"])
