"""grouped-experts: a loop over experts becomes one sort of the tokens' choices, and products of all at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outpace_audit.records import Code, Idea, NumericsClass, Patch
from outpace_optimizers.source import module_level, tree_of

from .expert_loops import ExpertLoop, expert_loops
from .flow import changed, names_in
from .guarded import edit_with_kernels
from .mask_loop import needless
from .names import imported
from .scope import Scope, scopes
from .writing import make_patch

_TITLE = "Products of rows sorted by expert"
_HELPER = "SortedPairs"
_TEXT = '''class SortedPairs:
    """Pairs of a token and an expert that it chose, sorted by expert: the device is not asked how many each has.

    `chosen`: experts by token, or by token and choice in either order. What is none comes last and counts for nothing.
    """

    def __init__(self, chosen, experts):
        flat = chosen.flatten()
        keys = flat.long()
        none = (keys < 0) | (keys >= experts)
        none = none | (keys != flat) if flat.is_floating_point() else none
        ordered, self.order = torch.sort(keys.masked_fill(none, experts), stable=True)
        self.ends = torch.searchsorted(ordered, torch.arange(experts, device=keys.device), right=True, out_int32=True)
        self.expert = ordered.clamp(max=experts - 1)
        self.shape, self.places, rest = chosen.shape, (), self.order
        for size in chosen.shape[:0:-1]:
            self.places, rest = (rest % size, *self.places), rest // size
        self.places = (rest, *self.places)

    def linear(self, rows, weight, bias=None):
        """`torch.nn.functional.linear` of each row with the weight, and the bias, of its expert."""
        if torch.is_autocast_enabled(rows.device.type):
            narrow = torch.get_autocast_dtype(rows.device.type)
            rows, weight = rows.to(narrow), weight.to(narrow)
        product = grouped_linear(rows, weight, self.ends)
        return product if bias is None else product + self.vectors(bias).to(product.dtype)

    def vectors(self, vectors):
        if not vectors.numel():  # torch's gradient of embeddings without width is one of width 1 on CUDA
            return vectors.sum(0).expand(self.expert.numel(), -1)
        return torch.nn.functional.embedding(self.expert, vectors)

    def chose(self):
        return torch.arange(self.order.numel(), device=self.order.device) < self.ends[-1]

    def add(self, out, rows, tokens):
        """Adds to each row of `out` those of its pairs. `tokens`: the dimension of tokens in what was chosen."""
        spots = torch.where(self.chose(), self.order, self.order.numel())
        spread = rows.new_zeros((self.order.numel() + 1, *rows.shape[1:])).index_copy_(0, spots, rows)[:-1]
        others = [dim for dim in range(len(self.shape)) if dim != tokens]
        if others:
            spread = spread.unflatten(0, self.shape).sum(others)
        (out if len(out) == len(spread) else out[: len(spread)]).add_(spread)

    def put(self, out, places, rows):
        """Puts each pair's row where it belongs."""
        chose = self.chose().view(-1, *[1] * (rows.dim() - 1))
        out[places] = torch.where(chose, rows, out[places])
'''
_UPCAST = '''
    def upcast_linear(self, rows, weight):
        """The same in fp32, of weights that are narrower."""
        if torch.is_autocast_enabled(rows.device.type):
            return self.linear(rows, weight)
        return grouped_upcast(rows, weight, self.ends)
'''


class GroupedExperts:
    id = "grouped-experts"
    title = _TITLE
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/grouped-experts.md"
    needs_triton = True
    gains_on = frozenset({"float16", "bfloat16"})

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            for loop in expert_loops(scope):
                patch = _patch(code, scope, loop)
                if patch is not None:
                    yield Idea(
                        self.id,
                        f"all experts in grouped products in {scope.definition.qualname}",
                        "each expert waits for the device to count its tokens, and its products are too small for it",
                        self.claimed_class,
                        patch,
                    )


def _patch(code: Code, scope: Scope, loop: ExpertLoop) -> Patch | None:
    site, written = loop.site, loop.written
    helper = _TEXT + (_UPCAST if written.upcasts else "")
    modules = ("grouped_linear", *(("upcast_product", "grouped_upcast") if written.upcasts else ()))
    edit = edit_with_kernels(scope.source, _TITLE, *modules, dispatcher=True) if _is_free(scope, helper) else None
    if edit is None:
        return None
    if _HELPER not in scope.source.definitions:
        edit.definitions[_HELPER] = helper
        table = imported(list(module_level(scope.source.tree.body)))
        edit.imports += ["import torch"] if "torch" not in table and "import torch" not in edit.imports else []
    stacks = [f"{name} = {stack}" for stack, name in written.stacks.items()]
    pairs = f"{written.pairs} = {_HELPER}({site.values}, {site.count})"
    edit.replace(scope.source, site.loop, ["\n".join([pairs, *stacks, *loop.lines])])
    gone = list(needless(scope, site, [site.loop]))
    if set().union(*map(changed, gone)) & names_in(tree_of("\n".join(loop.lines))):
        return None
    for statement in gone:
        edit.replace(scope.source, statement, [])
    return make_patch(scope.source, code, scope.definition, edit)


def _is_free(scope: Scope, text: str) -> bool:
    """Whether the helper's name means nothing else in this file."""
    there = scope.source.definitions.get(_HELPER)
    if there is not None:
        return ast.dump(there.node) == ast.dump(tree_of(text).body[0])
    return _HELPER not in scope.names.used


RULE = GroupedExperts()
