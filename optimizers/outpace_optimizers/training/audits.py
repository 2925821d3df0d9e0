"""What a training metric has to survive to be believed (L5, and L0 on the text): each check names what it refuses."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from outpace_audit.records import Check
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.clocks import outside_clock
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.files import matches
from outpace_optimizers.training.models import causality, metric_of_losses, not_run, probabilities, same_text
from outpace_optimizers.training.run import RunResult

_SEEDING = frozenset({
    "torch.manual_seed", "torch.random.manual_seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all",
    "random.seed", "numpy.random.seed", "np.random.seed", "seed_everything", "set_seed", "pl.seed_everything",
    "L.seed_everything", "transformers.set_seed", "torch.set_rng_state",
})  # fmt: skip
"""What sets the state that everybody draws from. A generator of its own with a fixed seed, for a table of signs, say,
does no harm to the others."""


_EVERYBODYS = sys.stdlib_module_names | {"torch", "numpy", "triton", "sitecustomize", "usercustomize"}


def edited_files(change: Change, root: Path, target: TrainingTarget) -> Check:
    name, limit = "edited-files", "only may-change, nothing of must-not-change"
    forbidden = [path for path in sorted(change.files) if matches(path, target.must_not_change)]
    if forbidden:
        return Check(name, "L0", False, f"it changes {_listed(forbidden)}, which must not change", limit)
    outside = [path for path in sorted(change.files) if not matches(path, target.may_change)]
    if outside:
        return Check(name, "L0", False, f"it changes {_listed(outside)}, which may-change does not name", limit)
    hiding = [path for path in sorted(change.files) if change.files[path] is not None and _hides_a_module(path, root)]
    if hiding:
        return Check(name, "L0", False, f"it changes {_listed(hiding)}, which hides a module of that name", limit)
    return Check(name, "L0", True, f"it changes {_listed(sorted(change.files))}", limit)


def _hides_a_module(path: str, root: Path) -> bool:
    """A new file outside a package, where everybody's import would find it, the evaluation's too."""
    place = root / path
    folder = place.parent.parent if place.name == "__init__.py" else place.parent
    module = place.parent.name if place.name == "__init__.py" else place.stem
    named = (place.suffix == ".py" and module in _EVERYBODYS) or place.suffix == ".pth"
    return named and not place.exists() and not (folder / "__init__.py").exists()


def fixed_seeds(change: Change, root: Path) -> Check:
    """The seed is ours to give: one that is written into the text may have been picked because it does well."""
    name, limit = "fixed-seed", "no more than the baseline's own"
    new: Counter[str] = Counter()
    for path, data in change.files.items():
        if data is not None and path.endswith(".py"):
            try:
                new += _seedings(data.decode())
            except (SyntaxError, ValueError) as error:
                return Check(name, "L0", False, f"{path} does not parse: {error}", limit)
            before = root / path
            if before.is_file():
                new -= _seedings_or_none(before)
    if new:
        return Check(name, "L0", False, f"it sets the seed to a constant: {_listed(sorted(new))}", limit)
    return Check(name, "L0", True, "none", limit)


def _seedings_or_none(path: Path) -> Counter[str]:
    try:
        return _seedings(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return Counter()


def _seedings(text: str) -> Counter[str]:
    """Calls that seed with what no argument of the run reaches, as text."""
    tree = ast.parse(text)
    aliases = dict(_imported(tree))
    constants = _constants(tree)
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _full_name(node.func, aliases) in _SEEDING:
            names = {one.id for argument in node.args for one in ast.walk(argument) if isinstance(one, ast.Name)}
            if names <= constants:
                found[ast.unparse(node)] += 1
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.asname, one.name) for one in node.names if one.asname)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def _full_name(node: ast.expr, aliases: dict[str, str]) -> str:
    first, dot, rest = ast.unparse(node).partition(".")
    return f"{aliases.get(first, first)}{dot}{rest}"


def _constants(tree: ast.Module) -> set[str]:
    """Names that are assigned constants and nothing else."""
    stored, constant = Counter[str](), Counter[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            stored[node.arg] += 1
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored[node.id] += 1
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constant.update(one.id for one in node.targets if isinstance(one, ast.Name))
    return {name for name, times in constant.items() if stored[name] == times}


def protected_files(runs: Sequence[RunResult]) -> Check:
    name, limit = "protected-files", "never opened for writing"
    touched = sorted({path for run in runs for path in run.touched})
    if touched:
        return Check(name, "L5", False, f"a run wrote to {_listed(touched)}, which must not change", limit)
    return Check(name, "L5", True, f"untouched in {len(runs)} runs", limit)


def recomputed_metric(runs: Sequence[RunResult], target: TrainingTarget) -> Check:
    name = "metric-recomputed"
    if target.evaluation is None:
        return not_run(name, "no evaluation is named: the metric is the script's own word")
    limit = f"within {target.evaluation.tolerance:g} of it"
    for run in runs:
        if run.metric is None or run.recomputed is None:
            continue
        if abs(run.metric - run.recomputed) > target.evaluation.tolerance * abs(run.recomputed):
            text = f"it printed {run.metric:.6g}, and its checkpoint has {run.recomputed:.6g} (seed {run.seed})"
            return Check(name, "L5", False, text, limit)
    return Check(name, "L5", True, f"as printed in {len(runs)} runs", limit)


def different_seeds(runs: Sequence[RunResult]) -> Check:
    """By the whole curve: one coarse number may well be the same twice."""
    name, limit = "seeds", "no two curves alike"
    seen: dict[tuple[object, ...], int] = {}
    for run in runs:
        curve = (*((step, value) for _, step, value in run.curve), run.value)
        if curve in seen and seen[curve] != run.seed:
            text = f"seeds {seen[curve]} and {run.seed} gave the same curve: the seed that it is given does not count"
            return Check(name, "L5", False, text, limit)
        seen[curve] = run.seed
    return Check(name, "L5", True, f"{len(runs)} different curves from {len(runs)} seeds", limit)


def of_runs(baseline: Sequence[RunResult], candidate: Sequence[RunResult], target: TrainingTarget) -> list[Check]:
    """Cheap before dear, by what the finished runs so far show."""
    return [
        protected_files(candidate),
        recomputed_metric(candidate, target),
        same_text(baseline, candidate, target),
        metric_of_losses(baseline, candidate, target),
        probabilities(candidate, target),
        causality(baseline, candidate, target),
        different_seeds(candidate),
        outside_clock(baseline, candidate, target),
    ]


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
