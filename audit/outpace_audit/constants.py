"""Statements of the top level that a patch may change: whole numbers, C++ and CUDA texts, and what builds these."""

from __future__ import annotations

import ast

from outpace_audit.native_builds import Build, builds, built_constants, text_constant, without_free_parts


def whole_number(node: ast.stmt) -> str | None:
    """The name that `NAME = 64` or `NAME: int = 64` gives a whole number to."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int() as value)):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=int() as value)):
            pass
        case _:
            return None
    return name if not isinstance(value, bool) else None


class Changeable:
    """Of one file."""

    def __init__(self, tree: ast.Module) -> None:
        self._texts = built_constants(tree)
        self._builds: dict[int, Build] = {id(build.node): build for build in builds(tree)}

    @property
    def builds(self) -> bool:
        """Whether the file builds C++ or CUDA."""
        return bool(self._builds)

    def name(self, node: ast.stmt) -> str | None:
        """By which a patch declares that it changes the statement; None for one that stays as it is."""
        name = whole_number(node)
        if name is None and (text := text_constant(node)) in self._texts:
            name = text
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if id(value) in self._builds:
                return target
            case _:
                return name

    def kept(self, node: ast.stmt) -> str:
        """What has to stay of it: that a number is one and a text is one; of a build all but flags and sources."""
        if whole_number(node) is not None:
            return f"constant {whole_number(node)}"
        if (text := text_constant(node)) is not None:
            return f"text {text}"
        assert isinstance(node, ast.Assign) and isinstance(node.value, ast.Call), "name says so"
        return f"build {ast.unparse(node.targets[0])} {without_free_parts(node.value, self._builds[id(node.value)])}"
