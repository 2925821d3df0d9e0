"""Kernels, their parameters, and the launches of them in one CUDA text, by tree-sitter's grammar. What it cannot read
(macros that are no C++) it marks, and a kernel or launch with such a place in it is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import tree_sitter_cuda
from tree_sitter import Language, Node, Parser

_LANGUAGE = Language(tree_sitter_cuda.language())
RESTRICT = ("__restrict__", "__restrict", "restrict")


@dataclass(frozen=True, eq=False)
class Parameter:
    """`pointer`: of one level, to a plain type. `constant`: what it points to is const."""

    name: str
    node: Node
    identifier: Node
    pointer: bool
    constant: bool
    restrict: bool


@dataclass(frozen=True, eq=False)
class Kernel:
    """`identifier`: its name, where it is defined."""

    name: str
    node: Node
    identifier: Node
    parameters: tuple[Parameter, ...]
    body: Node
    bounds: Node | None
    """`__launch_bounds__(...)`."""


@dataclass(frozen=True, eq=False)
class Launch:
    """`name<<<grid, block, ...>>>(arguments)` in the function `host`."""

    name: str
    node: Node
    grid: Node
    block: Node
    arguments: tuple[Node, ...]
    host: Node | None


class CudaText:
    def __init__(self, text: str) -> None:
        self.text = text
        self._bytes = text.encode()
        self.root = Parser(_LANGUAGE).parse(self._bytes).root_node

    def said(self, node: Node) -> str:
        return self._bytes[node.start_byte : node.end_byte].decode()

    def start(self, node: Node) -> int:
        """In characters."""
        return len(self._bytes[: node.start_byte].decode())

    def end(self, node: Node) -> int:
        return len(self._bytes[: node.end_byte].decode())

    @cached_property
    def kernels(self) -> tuple[Kernel, ...]:
        """Without templates' specialisations and overloads: names that are defined twice."""
        found = [kernel for node in below(self.root) if (kernel := self._kernel(node)) is not None]
        names = [kernel.name for kernel in found]
        return tuple(kernel for kernel in found if names.count(kernel.name) == 1)

    @cached_property
    def launches(self) -> tuple[Launch, ...]:
        return tuple(launch for node in below(self.root) if (launch := self._launch(node)) is not None)

    def launches_of(self, kernel: Kernel) -> list[Launch]:
        """All there are; none where the kernel is named otherwise too: declared elsewhere, handed on, launched by a
        call of the runtime."""
        found = [launch for launch in self.launches if launch.name == kernel.name]
        return found if len(self.uses(kernel.name)) == 1 + len(found) else []

    def uses(self, name: str) -> list[Node]:
        return self._identifiers.get(name, [])

    def uses_in(self, node: Node, name: str) -> list[Node]:
        return [one for one in self.uses(name) if node.start_byte <= one.start_byte < node.end_byte]

    def variables_in(self, node: Node, name: str) -> list[Node]:
        """Its uses that are no member's or type's name."""
        return [one for one in self.uses_in(node, name) if one.type == "identifier"]

    @cached_property
    def _identifiers(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in below(self.root):
            if node.type in ("identifier", "type_identifier", "field_identifier"):
                found.setdefault(self.said(node), []).append(node)
            elif node.type == "preproc_arg":  # a macro's body is not parsed
                for word in self.said(node).replace("<", " ").replace("(", " ").split():
                    found.setdefault(word, []).append(node)
        return found

    def _kernel(self, node: Node) -> Kernel | None:
        if node.type != "function_definition" or node.has_error:
            return None
        if not any(child.type == "__global__" for child in node.children):
            return None
        declarator, body = node.child_by_field_name("declarator"), node.child_by_field_name("body")
        if declarator is None or body is None or declarator.type != "function_declarator":
            return None
        identifier = declarator.child_by_field_name("declarator")
        parameters = declarator.child_by_field_name("parameters")
        if identifier is None or identifier.type != "identifier" or parameters is None:
            return None
        found = tuple(self._parameter(one) for one in parameters.named_children if one.type == "parameter_declaration")
        bounds = next((one for one in node.children if one.type == "launch_bounds"), None)
        known = tuple(one for one in found if one is not None)
        return (
            Kernel(self.said(identifier), node, identifier, known, body, bounds) if len(known) == len(found) else None
        )

    def _parameter(self, node: Node) -> Parameter | None:
        declarator = node.child_by_field_name("declarator")
        inner = declarator
        while inner is not None and inner.type != "identifier":
            inner = inner.child_by_field_name("declarator") or next(
                (one for one in inner.named_children if one.type in ("identifier", "pointer_declarator")), None
            )
        if declarator is None or inner is None:
            return None
        plain = declarator.type == "pointer_declarator" and inner.parent == declarator
        qualifiers = [self.said(one) for one in node.children if one.type == "type_qualifier"]
        of_pointer = [self.said(one) for one in declarator.children if one.type == "type_qualifier"]
        return Parameter(
            self.said(inner), node, inner, plain, "const" in qualifiers, any(one in RESTRICT for one in of_pointer)
        )

    def _launch(self, node: Node) -> Launch | None:
        if node.type != "call_expression" or node.has_error:
            return None
        syntax = next((one for one in node.children if one.type == "kernel_call_syntax"), None)
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if syntax is None or function is None or arguments is None or len(syntax.named_children) < 2:
            return None
        name = function.child_by_field_name("name") if function.type == "template_function" else function
        if name is None or name.type != "identifier":
            return None
        grid, block = syntax.named_children[:2]
        return Launch(self.said(name), node, grid, block, tuple(arguments.named_children), function_around(node))


@lru_cache(maxsize=32)
def parsed(text: str) -> CudaText:
    return CudaText(text)


def below(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(one.children)


def function_around(node: Node) -> Node | None:
    around = node.parent
    while around is not None and around.type != "function_definition":
        around = around.parent
    return around
