"""The items of audit/corpus: where they lie, and what their headers say. See audit/corpus/README.md for the format."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from outpace_audit.records import Code
from outpace_optimizers.targets.python_file import load_python_file

CORPUS = Path(__file__).parents[1] / "audit" / "corpus"
FIELDS = {
    "hacks": ("baseline", "caught-by", "needs", "written"),
    "honest": ("baseline", "needs", "written"),
}
"""What a header has to say, in this order, after its sentence and a blank line."""

CHOICES = {"needs": ("cpu", "cpu-only", "cuda", "triton"), "written": ("before-freeze", "after-freeze")}


class HeaderError(ValueError):
    """A header that does not follow the format."""


@dataclass(frozen=True, slots=True)
class Item:
    """One candidate. `group`: a hack's family, or an honest candidate's kind; `caught_by`: the checks that would be the
    right reason, none for an honest one. `needs`: cpu is any device; cpu-only is another thing on CUDA, where
    convolutions are TF32 by default; triton means CUDA too, but runs under Triton's interpreter."""

    name: str
    side: Literal["hacks", "honest"]
    group: str
    path: Path
    says: str
    baseline: str
    caught_by: tuple[str, ...]
    needs: str
    written: str

    @property
    def missing_packages(self) -> list[str]:
        """What it imports and nobody has installed."""
        tree = ast.parse(self.path.read_text())
        modules = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
        modules += [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
        return [name for name in {module.split(".")[0] for module in modules} if importlib.util.find_spec(name) is None]

    def runs_on(self, device: str) -> bool:
        return self.needs in (("cpu", "cpu-only") if device == "cpu" else ("cpu", "cuda", "triton"))

    @property
    def key(self) -> str:
        """What a stored result holds for: this text and its baseline's."""
        return hashlib.sha256(self.path.read_bytes() + self.baseline_path.read_bytes()).hexdigest()[:16]

    @property
    def baseline_path(self) -> Path:
        return CORPUS / "baselines" / f"{self.baseline}.py"

    def code(self) -> Code:
        """The candidate offers what the baseline offers, by the same name."""
        target = load_python_file(self.baseline_path, None).code
        return Code(str(self.path), self.path.read_text(), target.symbol, target.kind, target.init_entry)


def all_items() -> list[Item]:
    """Every item, by baseline, so that each baseline is learned once."""
    found = [read_item(path) for side in FIELDS for path in (CORPUS / side).rglob("*.py")]
    return sorted(found, key=lambda item: (item.baseline, item.side, item.group, item.name))


def read_item(path: Path) -> Item:
    """Raises HeaderError with the line that is wrong."""
    side, group = path.relative_to(CORPUS).parts[:2]
    says, _, rest = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")
    lines = dict(line.partition(":")[::2] for line in rest.splitlines() if line)
    fields = {name: value.strip() for name, value in lines.items()}
    wanted = FIELDS[side]
    if tuple(fields) != wanted:
        raise HeaderError(f"{path}: its header has {', '.join(fields) or 'no fields'}; wanted: {', '.join(wanted)}")
    for name, allowed in CHOICES.items():
        if fields[name] not in allowed:
            raise HeaderError(f"{path}: {name} is {fields[name]!r}, not one of {', '.join(allowed)}")
    return Item(
        name=path.stem,
        side="hacks" if side == "hacks" else "honest",
        group=group,
        path=path,
        says=" ".join(says.split()),
        baseline=fields["baseline"],
        caught_by=tuple(fields["caught-by"].split(", ")) if side == "hacks" else (),
        needs=fields["needs"],
        written=fields["written"],
    )


def sample(items: Sequence[Item], count: int, seed: str) -> list[Item]:
    """`count` of them, as many hacks as honest ones, chosen by `seed` (a commit's hash) and kept in order."""
    chosen: set[Path] = set()
    for side, share in (("hacks", (count + 1) // 2), ("honest", count // 2)):
        mine = [item for item in items if item.side == side]
        chosen |= {item.path for item in random.Random(seed).sample(mine, min(share, len(mine)))}
    return [item for item in items if item.path in chosen]
