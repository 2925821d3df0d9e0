"""Files of a project by their part in training: the script, what it takes along, its data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from outpace_optimizers.rules.names import dotted
from outpace_optimizers.training.files import matches, walk
from outpace_optimizers.training.reading import TrainingError

from .printed import HELD_OUT
from .settings import words_of

_OUTPUTS = re.compile(r"(out|outputs?|logs?|runs|checkpoints?|ckpts?|wandb|lightning_logs|results|build|dist|docs)$")
_DATA = re.compile(r"(data|datasets?|corpus|corpora)$")
"""Which the command line may name in place of the script."""
_SUFFIXES = (".txt", ".csv", ".tsv", ".npy", ".npz", ".bin", ".parquet", ".md")
_LISTED = 5
"""Validation files that are named one by one."""


@dataclass(frozen=True, slots=True)
class Project:
    """`code`: the trees of all Python files, by path; `used`: of the script and what it takes along, it first."""

    root: Path
    script: str
    code: dict[str, ast.Module]
    used: list[str]

    @property
    def tree(self) -> ast.Module:
        return self.code[self.script]

    def texts(self) -> dict[str, str]:
        """Of the Python files beside the script."""
        beside = [path for path in self.code if Path(path).parent == Path(self.script).parent]
        return {Path(path).name: (self.root / path).read_text(encoding="utf-8") for path in beside}


def read_project(root: Path, script: str | None) -> Project:
    """Raises TrainingError where no script trains, or several do."""
    code = dict(_parsed(root))
    chosen = script or _script(root, code)
    if chosen not in code:
        raise TrainingError(f"{chosen}: no Python file of {root} that can be read: name the script that trains")
    return Project(root, chosen, code, list(_used(chosen, code)))


def _parsed(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in walk(root):
        if path.endswith(".py"):
            try:
                yield path, ast.parse((root / path).read_text(encoding="utf-8"))
            except (SyntaxError, ValueError, OSError):
                continue


def _script(root: Path, code: dict[str, ast.Module]) -> str:
    imported = {found for path, tree in code.items() for found in _local(path, tree, code)}
    found = [path for path, tree in code.items() if _trains(tree) and (path not in imported or _started(tree))]
    named = [path for path in found if "train" in Path(path).stem] or found
    if len(named) == 1:
        return named[0]
    if not named:
        raise TrainingError(f"{root}: no Python file trains a model as far as is seen: name the script")
    raise TrainingError(f"{root}: {len(named)} scripts train: {', '.join(named[:_LISTED])}: name one")


def _started(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body)


def _trains(tree: ast.Module) -> bool:
    calls = [dotted(node.func) or "" for node in ast.walk(tree) if isinstance(node, ast.Call)]
    methods = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    last = {name.rpartition(".")[2] for name in calls}
    functional = "functional_call" in last and bool({"grad", "grad_and_value", "value_and_grad"} & last)
    steps = {"backward", "step"} <= methods or functional
    trainer = any(name.endswith("Trainer") for name in calls)
    return steps or (trainer and any(name.endswith((".train", ".fit")) for name in calls))


def _local(path: str, tree: ast.Module, code: dict[str, ast.Module]) -> Iterator[str]:
    """Files of the project that are imported, or executed by their name."""
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            modules |= {base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)}
        elif isinstance(node, ast.Call) and dotted(node.func) == "exec":
            modules |= {text.removesuffix(".py") for text in _strings(node) if text.endswith(".py")}
    for module in modules - {""}:
        name = module.replace(".", "/")
        for end in (f"{name}.py", f"{name}/__init__.py"):
            yield from (one for one in code if one != path and (one == end or one.endswith(f"/{end}")))


def _used(script: str, code: dict[str, ast.Module]) -> Iterator[str]:
    seen, waiting = {script}, [script]
    while waiting:
        path = waiting.pop(0)
        yield path
        new = sorted(set(_local(path, code[path], code)) - seen)
        seen.update(new)
        waiting += new


def _strings(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def defines_models(tree: ast.Module) -> bool:
    """Modules, and no evaluation beside them."""
    bases = {dotted(base) or "" for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    evaluates = any(words_of(name) & {"eval", "evaluate", "evaluation"} for name in names if name != "eval")
    return any(base.endswith("Module") and "Data" not in base for base in bases) and not evaluates


def data_folders(project: Project) -> list[str]:
    """Top-level folders without code that the script or what it takes along mentions."""
    texts = {part for path in project.used for text in _strings(project.code[path]) for part in text.split("/")[:1]}
    folders = {path.split("/")[0] for path in walk(project.root) if "/" in path}
    with_code = {path.split("/")[0] for path in project.code if "/" in path}
    named = texts | {name for name in folders if _DATA.match(name)}
    return sorted(name for name in (folders & named) - with_code if not _OUTPUTS.match(name))


def data_files(project: Project) -> list[str]:
    """Files at the root that `open` or another call is given to read by their names."""
    found: set[str] = set()
    for call in (node for path in project.used for node in ast.walk(project.code[path]) if isinstance(node, ast.Call)):
        texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        writes = "save" in (dotted(call.func) or "") or any(set(text) & set("wax+") for text in texts[1:])
        found |= {text.removeprefix("./") for text in texts[:1] if not writes and Path(text).suffix in _SUFFIXES}
    return sorted(path for path in walk(project.root) if path in found)


def held_out_files(project: Project, folders: list[str]) -> list[str]:
    """As the script names them, or one by one; a folder of them as one."""
    inside = [path for path in walk(project.root) if path.split("/")[0] in folders]
    held = [path for path in inside if _held_out(path)]
    patterns = [text for path in project.used for text in _strings(project.code[path]) if "*" in text]
    found: list[str] = []
    for path in held:
        given = next((one for one in patterns if matches(path, (one,))), None)
        parts = path.split("/")
        folder = next((at for at, part in enumerate(parts[:-1]) if words_of(part) & HELD_OUT), None)
        whole = "/".join(parts[: folder + 1]) + "/**" if folder is not None else path
        found.append(given or whole)
    return sorted(set(found))[:_LISTED]


def _held_out(path: str) -> bool:
    words = words_of(path)
    return bool(words & HELD_OUT) and "train" not in words_of(Path(path).name)
