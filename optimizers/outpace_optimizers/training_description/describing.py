"""A description of a training run, as far as the script tells it, and what its author still has to say."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from outpace_optimizers.rules.names import dotted, words
from outpace_optimizers.training.config import TABLE

from .libraries import LENGTHS, Library, library, processes
from .printed import metrics, seconds
from .project import Project, data_files, data_folders, defines_models, held_out_files, read_project
from .settings import Setting, settings

_SEEDS = ("manual_seed", "seed", "seed_everything", "set_seed", "random_seed", "seed_all", "default_rng", "Random")
_STEPS = words("steps iters iterations updates timesteps")
_EPOCHS = frozenset({"epochs"})
_EPISODES = frozenset({"episode", "episodes", "games", "rollouts"})
_TIMES = words("seconds budget minutes")
_OTHERS = words(
    "warmup eval log logging save val interval every start accum accumulation cooldown decay per test patience"
)
"""What settings of lengths have in their names that are not the run's."""
_SEVERAL = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
STEPS = 500
"""For a run whose length the script leaves open."""


@dataclass(frozen=True, slots=True)
class Description:
    """`lines` of TOML by key; `open` says by key what the script did not tell."""

    script: str
    lines: dict[str, str]
    open: dict[str, str]

    def text(self) -> str:
        keys = [*self.lines, *(key for key in self.open if key not in self.lines)]
        return "\n".join([TABLE, *(line for key in keys for line in self._of(key))]) + "\n"

    def _of(self, key: str) -> list[str]:
        said = [f"# {key}: {self.open[key]}"] if key in self.open else []
        return [*said, *([f"{key} = {self.lines[key]}"] if key in self.lines else [])]


def describe(root: Path, script: str | None = None) -> Description:
    """Raises TrainingError where no script is found."""
    project = read_project(root, script)
    used, known = library(project.tree), settings(project.tree, project.texts())
    lines: dict[str, str] = {}
    open_: dict[str, str] = {}
    more = used.words if used is not None else ()
    several = processes(project.tree)
    start = ("python", *_SEVERAL) if several else ("python",)
    lines["command"] = f'"{" ".join((*start, project.script, *more))}"'
    asked = ["it trains in several processes: is 2 right?"] if several else []
    _metric(project, used, lines, open_)
    _budget(project, used, known, lines, open_)
    _seed(project, used, known, lines, open_)
    told = lines.get("budget", "") + lines.get("seed", "")
    if required := [one.flag or one.name for one in known if one.required and f'"{one.flag}"' not in told]:
        asked.append(f"{', '.join(required)}: needed by the script; put values behind it")
    if asked:
        open_["command"] = "; ".join(asked)
    if used is not None and used.loss:
        lines["loss"] = used.loss
    _files(project, lines)
    open_["evaluation"] = "without one the metric is the script's own word: docs/training.md says how to name it"
    return Description(project.script, lines, open_)


def _metric(project: Project, used: Library | None, lines: dict[str, str], open_: dict[str, str]) -> None:
    found = [used.metric] if used is not None and used.metric is not None else metrics(project.tree)
    if not found:
        open_["metric"] = 'no number is printed that looks like one: metric = { json = "val_loss" } and print it so'
        open_["direction"] = '"lower" or "higher", whichever is better'
        return
    lines["metric"], lines["direction"] = found[0].table, f'"{found[0].direction}"'
    if others := [one.name for one in found[1:3] if one.name != found[0].name]:
        open_["metric"] = f"{found[0].name}, as far as is seen; {' and '.join(others)} would be others"


def _budget(
    project: Project, used: Library | None, known: list[Setting], lines: dict[str, str], open_: dict[str, str]
) -> None:
    unit, setting = _length(project.tree, used, known)
    if setting is None:
        open_["budget"] = "how long a run is was not found: budget = { steps = 500, flag = ... }"
        return
    amount, given = setting.default, setting.given()
    if setting.by_place:
        open_["budget"] = f"{setting.name} is given by its place: put it into command, and the same number here"
        lines["budget"] = f"{{ {unit} = {STEPS} }}"
        return
    if amount is None or amount <= 0:
        amount = STEPS
        open_["budget"] = f"{setting.name} has no default: is {STEPS} right?"
    elif setting.words & _EPISODES:
        open_["budget"] = (
            "an episode is as long as it lasts: a better agent may take longer for as many than is let through"
        )
    elif not given:
        open_["budget"] = f"{setting.name} is written into the script, and is only watched"
    lines["budget"] = f"{{ {unit} = {amount:g}{', ' + given if given else ''} }}"
    if unit == "seconds":
        if found := seconds(project.tree):
            lines["time"] = f"{{ regex = '{found}' }}"
        else:
            open_["time"] = 'the script has to say how long it trained: time = { json = "seconds" }'


def _length(tree: ast.Module, used: Library | None, known: list[Setting]) -> tuple[str, Setting | None]:
    if used is not None:
        for name in LENGTHS:
            if used.parsed and name == "max_steps":
                return "steps", Setting(name, None, f"--{name}")
            if name in used.told:
                told = used.told[name]
                return "steps", _behind(told, known) or _behind(told, known, told=False) or _literal(name, told)
    for settled in (True, False):
        for unit, wanted in (("steps", _STEPS), ("seconds", _TIMES), ("steps", _EPOCHS)):
            found = [one for one in known if one.words & wanted and not one.words & _OTHERS]
            found = [one for one in found if not settled or (one.default or 0) > 0]
            if told := [one for one in found if one.given()] or found:
                return unit, told[0]
    return "steps", _turns(tree, known)


def _turns(tree: ast.Module, known: list[Setting]) -> Setting | None:
    """Of the outermost loop around a backward pass, where they are written there: `range(300)`, `range(1, N + 1)`."""
    for loop in (node for node in ast.walk(tree) if isinstance(node, ast.For) and isinstance(node.iter, ast.Call)):
        methods = {node.attr for node in ast.walk(loop) if isinstance(node, ast.Attribute)}
        assert isinstance(loop.iter, ast.Call), "only those are taken"
        if dotted(loop.iter.func) != "range" or "backward" not in methods:
            continue
        end = loop.iter.args[min(1, len(loop.iter.args) - 1)]
        names = {node.id for node in ast.walk(end) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(end) if isinstance(node, ast.Attribute)}
        first = loop.iter.args[0] if len(loop.iter.args) > 1 else None
        if isinstance(end, ast.Constant) and isinstance(end.value, int):
            before = first.value if isinstance(first, ast.Constant) and isinstance(first.value, int) else 0
            return Setting("the number of turns", end.value - before)
        return next((one for one in known if one.name in names), None)
    return None


def _literal(name: str, node: ast.expr) -> Setting:
    value = node.value if isinstance(node, ast.Constant) else None
    return Setting(name, value if isinstance(value, (int, float)) else None)


def _behind(node: ast.expr, known: list[Setting], *, told: bool = True) -> Setting | None:
    """The setting that an expression reads: `args.seed`, `SEED`, `os.environ["SEED"]`. `told`: one that can be."""
    names = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    names |= {str(one.value) for one in ast.walk(node) if isinstance(one, ast.Constant)}
    return next((one for one in known if one.name in names and bool(one.given()) == told), None)


def _seed(
    project: Project, used: Library | None, known: list[Setting], lines: dict[str, str], open_: dict[str, str]
) -> None:
    seeding = [
        node
        for node in ast.walk(project.tree)
        if isinstance(node, ast.Call) and (dotted(node.func) or "").rpartition(".")[2] in _SEEDS and node.args
    ]
    given = [arg for call in seeding for arg in call.args]
    given += [used.told["seed"]] if used is not None and "seed" in used.told else []
    found = next((one for node in given if (one := _behind(node, known)) is not None), None)
    found = found or next((one for one in known if "seed" in one.words and one.given()), None)
    if found is not None:
        lines["seed"] = f"{{ {found.given()} }}"
        return
    seen = _seeded(seeding[0], known) if seeding else "the script sets none"
    open_["seed"] = f'{seen}: have it take one, and write seed = {{ flag = "--seed" }}'


def _seeded(call: ast.Call, known: list[Setting]) -> str:
    constants = {one.name for one in known if not one.given() and not one.by_place}
    if {node.id for node in ast.walk(call.args[0]) if isinstance(node, ast.Name)} <= constants:
        return f"line {call.lineno} sets it to a constant"
    of = ast.unparse(call.args[0])
    return f"line {call.lineno} sets it to {of}, which no flag and no variable of the environment is seen to give"


def _files(project: Project, lines: dict[str, str]) -> None:
    models = [path for path in project.used[1:] if defines_models(project.code[path])]
    others = [path for path in project.used[1:] if path not in models]
    folders = data_folders(project)
    lines["may-change"] = _listed([project.script, *models])
    read = data_files(project)
    lines["must-not-change"] = _listed([*(f"{folder}/**" for folder in folders), *read, *others])
    if held := held_out_files(project, folders):
        lines["validation"] = _listed(held)


def _listed(paths: list[str]) -> str:
    quoted = ", ".join(f'"{path}"' for path in paths)
    return f"[{quoted}]"
