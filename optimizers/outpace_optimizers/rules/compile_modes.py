"""compile-modes: `torch.compile` for each size by itself, and with kernels for matrix products that it searches for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass
from outpace_optimizers.source import parse, reached

from .names import words
from .torch_compile import compiled

EACH_SIZE = "dynamic=False"
SEARCHED = 'mode="max-autotune-no-cudagraphs", dynamic=False'
"""Without CUDA graphs: what they return is overwritten by the next call."""
PRODUCTS = words(
    "matmul mm bmm addmm baddbmm addbmm einsum tensordot linear conv1d conv2d conv3d conv_transpose1d "
    "conv_transpose2d conv_transpose3d Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d"
)
"""For which inductor has templates of kernels with sizes to choose."""


class CompileModes:
    id = "compile-modes"
    title = "Compile for each size, and with kernels searched for"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/compile-modes.md"
    needs_triton = True

    def propose(self, code: Code) -> Iterator[Idea]:
        each = compiled(code, EACH_SIZE)
        if each is None:
            return
        why = "kernels for one size each, which know their bounds, where sizes are few; another size compiles again"
        yield Idea(self.id, f"compile {each[0]} for each size with torch.compile", why, self.claimed_class, each[1])
        searched = compiled(code, SEARCHED) if _multiplies(code) else None
        if searched is not None:
            why = "matrix products and convolutions by the fastest of many kernels, fused with what follows them"
            title = f"compile {searched[0]} with torch.compile, which searches for kernels"
            yield Idea(self.id, title, why, self.claimed_class, searched[1])


def _multiplies(code: Code) -> bool:
    """Whether a product of matrices or a convolution is written in what a call can reach, or a constructor makes."""
    source = parse(code.path, code.source)
    found = [source.definitions[code.symbol], *reached(source, code.symbol)]
    return any(_is_product(node) for one in found for node in ast.walk(one.node))


def _is_product(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.MatMult()):
            return True
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return name in PRODUCTS
        case _:
            return False


RULE = CompileModes()
