"""A kernel of `outpace_kernels` as text for a user's file: its definitions, and the imports that they need.

The package is read, never imported: this process has no torch.
"""

from __future__ import annotations

import ast
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from outpace_optimizers.source import Source, lines_of, module_level, tree_of

from .names import imported

_IMPORTS = {
    "torch": "import torch",
    "triton": "import triton",
    "tl": "import triton.language as tl",
    "TensorDescriptor": "from triton.tools.tensor_descriptor import TensorDescriptor",
}
_MEANINGS = {
    "torch": "torch",
    "triton": "triton",
    "tl": "triton.language",
    "TensorDescriptor": "triton.tools.tensor_descriptor.TensorDescriptor",
}


@dataclass(frozen=True, slots=True)
class KernelText:
    """What an edit adds to a file: one text for each definition, by name; and import lines."""

    definitions: dict[str, str]
    imports: list[str]


def kernel_text(
    source: Source, module: str, title: str, dispatcher: bool = False, only: Set[str] = frozenset()
) -> KernelText | None:
    """The definitions of a kernel module that `source` lacks: with its dispatcher and the reference that this falls
    back to, or without both; or of them those that are named. None where one of its names means something else there.
    """
    wanted = {name: text for name, text in _definitions(module, dispatcher).items() if not only or name in only}
    present = {name: definition.node for name, definition in source.definitions.items()}
    table = imported(list(module_level(source.tree.body)))
    if any(table.get(name, meaning) != meaning for name, meaning in _MEANINGS.items()):
        return None
    bound = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name) and not _is_load(node)}
    if bound & {*_IMPORTS, *wanted} or set(present) & set(_IMPORTS) or set(table) & set(wanted):
        return None
    missing: dict[str, str] = {}
    for name, text in wanted.items():
        if name not in present:
            missing[name] = text
        elif ast.dump(present[name]) != ast.dump(tree_of(text).body[0]):
            return None
    if missing:
        first = next(iter(missing))
        missing[first] = f"# {title}, from outpace {_version()}: kernels/{module}.py, Apache-2.0.\n{missing[first]}"
    read = {node.id for text in missing.values() for node in ast.walk(tree_of(text)) if isinstance(node, ast.Name)}
    return KernelText(missing, [line for name, line in _IMPORTS.items() if name not in table and name in read])


def _is_load(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


@lru_cache(maxsize=32)
def _definitions(module: str, dispatcher: bool) -> dict[str, str]:
    """Name -> text. The dispatcher is called `MODULE`, the reference `MODULE_reference`."""
    text = files("outpace_kernels").joinpath(f"{module}.py").read_text()
    lines = lines_of(text)
    found: dict[str, str] = {}
    for node in tree_of(text).body:
        left_out = () if dispatcher else (module, f"{module}_reference")
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name not in left_out:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[node.name] = "".join(lines[first - 1 : node.end_lineno])
    return found


def _version() -> str:
    try:
        return version("outpace")
    except PackageNotFoundError:
        return "(not installed)"
