"""What a model is shown: plain templates (`templates/*.txt`), filled in. The same facts give the same text."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from outpace_audit.records import ArgSpec, Idea, Machine, Verdict, Workload
from outpace_optimizers.model.editing import editable
from outpace_optimizers.model.legible import one_line
from outpace_optimizers.model.native import built_statements
from outpace_optimizers.model.scrubbing import scrubbed
from outpace_optimizers.records import Target, Trial
from outpace_optimizers.source import DefinitionNode, Source, mentioned, module_level, parse

ADVICE = {
    "L0": "The static checks read the file before it runs.",
    "L1": "Shapes, dtypes, devices, aliasing and what is changed in place have to be those of the original.",
    "L2": "The values differ. Guard the case and fall back to the original code there, or compute as precisely.",
    "L3": "Results have to come from this call's inputs, and nothing outside the outputs may be written.",
}
EVIDENCE_CHARACTERS = 600
"""Of one check's evidence: a message of a compiler has thousands."""
FAILURES = 3
"""The last so many rejected ideas are shown with the check that they failed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the target, apart from its text: the machine, and what the judge has learnt (`TargetFacts` as JSON)."""

    machine: Machine
    timed: str
    learnt: Mapping[str, Any]
    known: Sequence[str] = ()
    """Lines of what was measured of it before: roofline and profile."""
    rules: Sequence[str] = ()
    """Titles of the rules that were at hand."""
    kernels: Sequence[str] = ()
    """Kernels that an idea may call, with what they take."""


def messages_for(
    target: Target,
    source: Source,
    facts: Facts,
    tried: Sequence[Trial],
    spoilt: Sequence[str] = (),
    learnt: Sequence[str] = (),
    winner: Trial | None = None,
    measuring: Idea | None = None,
) -> list[dict[str, str]]:
    """System and user message; what looks like a secret is taken out of both. `spoilt`: why answers led to no trial.
    `learnt`: lessons of other runs. `winner`: what the idea is to build on. `measuring`: what is being
    measured, and not known yet."""
    system = _filled("system", forbidden=_template("forbidden").template.strip())
    user = _filled(
        "idea",
        target=target.name,
        file=Path(source.path).name,
        timed=facts.timed,
        machine=_machine(facts.machine),
        ceilings=_ceilings(facts, tried),
        known=_listed(facts.known, "nothing"),
        rules=_listed(facts.rules, "none"),
        kernels=_filled("kernels", kernels=_listed(facts.kernels, "")) if facts.kernels else "",
        workloads="\n".join(_workload(one, facts.learnt) for one in target.workloads),
        code="\n\n\n".join(_shown(source, target.name)),
        native=_template("native").template if built_statements(source, target.name) else "",
        context=_context(source, target.name),
        tried="\n".join(f"{number}. {_trial(trial)}" for number, trial in enumerate(tried, 1)) or "nothing",
        measuring=_filled("measuring", idea=_named(measuring)) if measuring is not None else "",
        lessons="\n".join([*_lessons(tried), *_spoilt(spoilt)]) or "nothing yet",
        learnt=_listed(learnt, "nothing yet"),
        wish=_template("propose").template.strip() if winner is None else _improve(winner, source, target.name),
    )
    return [{"role": "system", "content": scrubbed(system)}, {"role": "user", "content": scrubbed(user)}]


def _listed(lines: Sequence[str], otherwise: str) -> str:
    return "\n".join(f"- {line}" for line in lines) or otherwise


def fix_message(failure: str, level: str | None = None, *, of_winner: bool = False) -> dict[str, str]:
    """`of_winner`: the idea was to build on the best so far."""
    base = "the code of the best so far" if of_winner else "the original code shown above"
    text = _filled("fix", failure=failure, advice=ADVICE.get(level or "", ""), base=base)
    return {"role": "user", "content": scrubbed(text)}


def _improve(winner: Trial, source: Source, symbol: str) -> str:
    code = _shown(parse(source.path, winner.idea.patch.new_source), symbol)
    return _filled("improve", title=winner.idea.title, gain=_gain(winner), code="\n\n\n".join(code)).strip()


def failure_of(verdict: Verdict) -> str:
    """The first failing check, with its evidence and limit."""
    check = verdict.failed
    if check is None:
        return f"It was rejected: {_told(verdict.reason)}"
    limit = f" (limit: {check.threshold})" if check.threshold else ""
    return f"{check.level}, check {check.name}: {_told(check.evidence)}{limit}"


def _told(evidence: str) -> str:
    """Without the user's name: messages of Python and of compilers have paths in them."""
    home = str(Path.home())
    return one_line(evidence.replace(home, "~") if len(home) > 1 else evidence, EVIDENCE_CHARACTERS)


@cache
def _template(name: str) -> Template:
    return Template(files("outpace_optimizers.model").joinpath("templates", f"{name}.txt").read_text(encoding="utf-8"))


def _filled(name: str, **values: str) -> str:
    return _template(name).substitute(values)


def _machine(machine: Machine) -> str:
    libraries = [f"torch {machine.torch}", *([f"triton {machine.triton}"] if machine.triton else [])]
    where = machine.name if machine.device == "cuda" else f"{machine.name}, {machine.cores} cores, no GPU"
    return f"{where}; Python {machine.python}, {', '.join(libraries)}"


def _ceilings(facts: Facts, tried: Sequence[Trial]) -> str:
    """What cannot be beaten, and how far the original is from it where it was timed."""
    peak = facts.machine.ceilings.get("peak_bytes_per_s")
    times = {t.workload: t.baseline_s for trial in tried for t in trial.verdict.timings}
    lines: list[str] = []
    for one in facts.learnt["workloads"]:
        label, needed = one["workload"]["label"], one["unavoidable_bytes"]
        line = f"{label}: {needed} bytes cannot be avoided"
        if peak:
            line += f", which takes {1e6 * needed / peak:.3g} µs at {peak / 1e9:.4g} GB/s"
        if label in times:
            line += f"; a call of the original takes {1e6 * times[label]:.3g} µs"
        lines.append(line)
    return "\n".join(lines)


def _workload(workload: Workload, learnt: Mapping[str, Any]) -> str:
    arguments = [_argument(one) for one in workload.args] or [_inspected(workload, learnt)]
    return f"- {workload.label}: {', '.join(arguments)}"


def _argument(spec: ArgSpec) -> str:
    if spec.shape is None:
        return f"{spec.name}={spec.value!r}"
    stride = f", strides {list(spec.stride)}" if spec.stride else ""
    return f"{spec.name}: {spec.dtype} {list(spec.shape)}{stride}"


def _inspected(workload: Workload, learnt: Mapping[str, Any]) -> str:
    """Of inputs that a function of the user makes: what the judge saw."""
    for one in learnt["workloads"]:
        if one["workload"]["label"] == workload.label:
            inputs = one.get("inspected", {}).get("inputs", [])
            seen = [f"{item.get('dtype')} {list(item.get('shape', []))}" for item in inputs]
            return ", ".join(seen) or "as its input maker gives them"
    return "as its input maker gives them"


def _shown(source: Source, symbol: str) -> list[str]:
    """Functions and classes that may change, decorators included, and C++, as they stand in the file."""
    tops = [one.node for one in editable(source, symbol) if one.owner is None]
    every = [*tops, *built_statements(source, symbol).values()]
    return [_text_of(source, node) for node in sorted(every, key=lambda node: node.lineno)]


def _text_of(source: Source, node: ast.stmt) -> str:
    decorators = node.decorator_list if isinstance(node, DefinitionNode) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    text = "".join(source.lines[first - 1 : node.end_lineno])
    return text.replace("\r\n", "\n").rstrip("\n")


def _context(source: Source, symbol: str) -> str:
    """Imports, and the module's own values that the shown code names."""
    names: set[str] = set()
    for one in editable(source, symbol):
        names |= mentioned(one.node)[0]
    names -= built_statements(source, symbol).keys()
    lines = [
        source.segment(node)
        for node in module_level(source.tree.body)
        if isinstance(node, (ast.Import, ast.ImportFrom)) or (isinstance(node, ast.Assign) and _binds(node) & names)
    ]
    return _filled("context", text="\n".join(lines)).strip() if lines else ""


def _binds(node: ast.Assign) -> set[str]:
    return {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}


def _trial(trial: Trial) -> str:
    idea, verdict = trial.idea, trial.verdict
    what = f"{_named(idea)}: "
    if verdict.accepted and verdict.interval:
        return f"{what}accepted, {_gain(trial)}"
    return (
        what + "rejected: " + (f"{verdict.failed.level} {verdict.failed.name}" if verdict.failed else "see its reason")
    )


def _named(idea: Idea) -> str:
    return f"{idea.title} ({idea.rule})"


def _gain(trial: Trial) -> str:
    low, high = trial.verdict.interval or (1.0, 1.0)
    return f"{trial.verdict.speedup:.2f}x [{low:.2f}, {high:.2f}]"


def _spoilt(reasons: Sequence[str]) -> list[str]:
    """With their number: the same question would get the same answer."""
    return [f"- {len(reasons)} answers led to no trial, the last one because {reasons[-1]}"] if reasons else []


def _lessons(tried: Sequence[Trial]) -> list[str]:
    """The last failures with their evidence, and what failed more than once."""
    rejected = [trial for trial in tried if not trial.verdict.accepted]
    lines = [f"- {trial.idea.title} failed {failure_of(trial.verdict)}" for trial in rejected[-FAILURES:]]
    names = [trial.verdict.failed.name for trial in rejected if trial.verdict.failed]
    again = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    return [*lines, *(f"- {names.count(name)} ideas failed {name}: expect it to look there" for name in again)]
