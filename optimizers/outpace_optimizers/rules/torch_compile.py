"""torch-compile: put `@torch.compile` on the target function, or on the module's `forward`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass, Patch
from outpace_optimizers.source import Definition, Source, parse, reached

from .names import Names, dotted
from .scope import is_kernel
from .writing import Edit, make_patch

_SETTLED = ("compile", "script", "trace", "jit", "compiler", "njit", "dynamo")
"""A decorator or call with one of these words: the author has already chosen how this code is compiled."""


class TorchCompile:
    id = "torch-compile"
    title = "Compile with torch.compile"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/torch-compile.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        made = compiled(code)
        if made is not None:
            qualname, patch = made
            yield Idea(
                self.id,
                f"compile {qualname} with torch.compile",
                "one traced graph: fused pointwise work, fewer launches and fewer round trips to memory",
                self.claimed_class,
                patch,
            )


def compiled(code: Code, options: str = "") -> tuple[str, Patch] | None:
    """What is decorated, by its qualified name, and the patch; `options` as a call of torch.compile has them. None
    where the target can't be compiled, or its author has settled how it is."""
    source = parse(code.path, code.source)
    definition = _entry(source, code.symbol)
    if definition is None or not _can_compile(source, definition, code.symbol):
        return None
    assert isinstance(definition.node, (ast.FunctionDef, ast.AsyncFunctionDef))
    outer = Names(source, definition.node)
    outer.bound = set()  # a decorator stands outside the function's own names
    spelling, needed = outer.spell("torch.compile")
    decorator = f"{spelling}({options})" if options else spelling
    patch = make_patch(source, code, definition, Edit(decorators=[decorator], imports=[needed] if needed else []))
    return None if patch is None else (definition.qualname, patch)


def _entry(source: Source, symbol: str) -> Definition | None:
    """The function that a call of the target runs: itself, or `forward` of the class or of its bases
    in this file.
    """
    target = source.definitions.get(symbol)
    for _ in range(8):
        if target is None or not isinstance(target.node, ast.ClassDef):
            return target
        for name in ("forward", "__call__"):
            method = source.definitions.get(f"{target.qualname}.{name}")
            if method is not None:
                return method
        bases = [base.id for base in target.node.bases if isinstance(base, ast.Name)]
        target = next((source.definitions[base] for base in bases if base in source.definitions), None)
    return None


def _can_compile(source: Source, definition: Definition, symbol: str) -> bool:
    node = definition.node
    if not isinstance(node, ast.FunctionDef):
        return False
    if any(isinstance(child, (ast.Yield, ast.YieldFrom)) for child in ast.walk(node)):
        return False
    if any(_settled(item) for item in node.decorator_list):
        return False
    if any(ast.unparse(item) in ("property", "classmethod", "staticmethod") for item in node.decorator_list):
        return False
    wanted = {symbol, definition.qualname.split(".")[0]}
    for reach in reached(source, symbol):
        if any(_settled(item) and not is_kernel(item) for item in reach.node.decorator_list):
            return False
    return not any(_compiles(child, wanted) for child in ast.walk(source.tree))


def _settled(decorator: ast.expr) -> bool:
    words = ast.unparse(decorator).replace("(", ".").replace(",", ".").replace(" ", "").split(".")
    return is_kernel(decorator) or any(word in _SETTLED for word in words)


def _compiles(node: ast.AST, wanted: set[str]) -> bool:
    """`f = torch.compile(f)`, `torch.jit.script(Model)`, `self.forward = torch.compile(self.forward)`,
    `x.compile()`.
    """
    if not isinstance(node, ast.Call):
        return False
    name = dotted(node.func) or ""
    last = name.rpartition(".")[2]
    if last == "compile" and name.startswith("self"):
        return True
    if last not in ("compile", "script", "optimize") or name.startswith("re.") or not node.args:
        return False
    text = ast.unparse(node.args[0])
    return any(word in text for word in wanted) or text.startswith("self") or text == "model"


RULE = TorchCompile()
