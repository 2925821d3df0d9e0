"""The rule registry: built-in rules and third parties' come through the same entry-point group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, TypeVar, runtime_checkable

from outpace_audit.records import Code, Idea, Machine, NumericsClass

GROUP = "outpace.rules"
_PACKAGE = "outpace_optimizers.rules"
NEEDED = {
    "Rule": "it needs id, title, claimed_class, page and propose",
    "ProfileRule": "it needs id, title, claimed_class, page and suggest",
    "TrainingRule": "it needs id, title, claimed_class, page and propose_training",
}
R = TypeVar("R")
_BUILT_IN = (
    "torch_compile",
    "compile_modes",
    "explicit_attention",
    "capped_attention",
    "ragged_attention",
    "attention_backend",
    "grouped_query",
    "loop_invariant",
    "loop_projection",
    "loop_to_batch",
    "scan_call",
    "cell_loop",
    "growing_cat",
    "loop_reads",
    "host_number",
    "foreach_lists",
    "length_mask",
    "segment_mask",
    "mask_loop",
    "masked_assignment",
    "broadcast_sum",
    "cheaper_product",
    "interleaved_rope",
    "complex_rotation",
    "topk_for_sort",
    "layer_norm",
    "rms_norm",
    "rms_norm_call",
    "fused_activation",
    "written_softmax",
    "softmax_gradient",
    "written_cross_entropy",
    "one_hot_product",
    "norm_call",
    "cross_entropy",
    "causal_conv",
    "patch_projection",
    "unfolded_convolution",
    "upcast_product",
    "float32_product",
    "routing",
    "grouped_experts",
    "gated_scan",
    "qk_norm_rope",
    "extension_flags",
    "cuda_restrict",
    "cuda_launch_bounds",
)


@runtime_checkable
class Rule(Protocol):
    """A detection with an edit. `id` is kebab-case; `page` is its documentation, `docs/rules/<id>.md`. One that writes
    Triton says so by an attribute `needs_triton = True`, one that edits CUDA or is for GPUs alone by `needs_cuda =
    True`, one that gains on tensors of some dtypes alone by `gains_on = frozenset({"float32"})`.
    """

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def claimed_class(self) -> NumericsClass: ...
    @property
    def page(self) -> str: ...
    def propose(self, code: Code) -> Iterator[Idea]: ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """A rule that could not be loaded or that raised: reported, never fatal."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that loaded, in registry order, and those that did not."""

    rules: tuple[Rule, ...]
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Ideas:
    """What the rules proposed for one target, and which of them raised."""

    ideas: tuple[Idea, ...]
    troubles: tuple[Trouble, ...] = ()


def load_group(
    group: str, package: str, built_in: Sequence[str], kind: type[R]
) -> tuple[tuple[R, ...], tuple[Trouble, ...]]:
    """The `RULE` of every entry point of a group, built-ins first. A broken one becomes a trouble."""
    rules: dict[str, R] = {}
    troubles: list[Trouble] = []
    for point in _points(group, package, built_in):
        try:
            rule = _load(point, kind)
        except Exception as error:  # a third party's module may raise anything
            troubles.append(Trouble(point.name, f"{point.value}: {type(error).__name__}: {error}"))
            continue
        known = str(getattr(rule, "id", ""))
        if known in rules:
            troubles.append(Trouble(point.name, f"{point.value}: a rule with id {known} is already registered"))
            continue
        rules[known] = rule
    return tuple(rules.values()), tuple(troubles)


def _points(group: str, package: str, built_in: Sequence[str]) -> Sequence[EntryPoint]:
    """The built-ins themselves where no distribution is installed."""
    found = {point.name: point for point in entry_points(group=group)}
    order: dict[str, EntryPoint] = {}
    for module in built_in:
        name = module.replace("_", "-")
        order[name] = found.pop(name, None) or EntryPoint(name, f"{package}.{module}:RULE", group)
    return [*order.values(), *found.values()]


def _load(point: EntryPoint, kind: type[R]) -> R:
    module, _, attribute = point.value.partition(":")
    rule: object = import_module(module.strip())
    for part in (attribute.strip() or "RULE").split("."):
        rule = getattr(rule, part)
    if not isinstance(rule, kind):
        raise TypeError(f"{point.value} is not a rule: {NEEDED[kind.__name__]}")
    return rule


def load_rules() -> Rules:
    """Every rule of the entry-point group `outpace.rules`."""
    return Rules(*load_group(GROUP, _PACKAGE, _BUILT_IN, Rule))


def usable(rules: Sequence[Rule], machine: Machine) -> list[Rule]:
    """Without those that need a GPU where there is none, or Triton where the measured interpreter has none."""
    lacking = [] if machine.device == "cuda" else ["needs_cuda"]
    lacking += [] if machine.device == "cuda" and machine.triton is not None else ["needs_triton"]
    return [rule for rule in rules if not any(getattr(rule, needed, False) for needed in lacking)]


def suited(rules: Sequence[Rule], code: Code, dtypes: Set[str]) -> list[Rule]:
    """Without those that gain on dtypes alone (`gains_on`) that no input is declared to have, where inputs are all
    that there is, and nothing is cast to another.
    """
    if code.kind == "module" or not dtypes:
        return list(rules)
    cast = {name for name in ("float32", "float16", "bfloat16") if name in code.source}
    cast |= {"float32"} if ".float()" in code.source else set()
    present = {dtype.removeprefix("torch.") for dtype in dtypes} | cast
    return [rule for rule in rules if not present.isdisjoint(getattr(rule, "gains_on", present))]


def _collect(id: str, propose: Callable[[], Iterator[object]], found: dict[str, Idea]) -> Trouble | None:
    """Adds what a rule proposes to `found`, up to where it raises."""
    try:
        for idea in propose():
            if not isinstance(idea, Idea):
                raise TypeError(f"proposed a {type(idea).__name__}, not an Idea")
            found.setdefault(idea.patch.id, idea)
    except Exception as error:  # one rule's bug must not cost the user the others
        return Trouble(id, f"{type(error).__name__}: {error}")
    return None


def ideas(code: Code, rules: Sequence[Rule]) -> Ideas:
    """All ideas of all rules, in the rules' order, each distinct edit once."""
    return collected((rule.id, partial(rule.propose, code)) for rule in rules)


def collected(proposers: Iterable[tuple[str, Callable[[], Iterator[object]]]]) -> Ideas:
    """The same, of what goes by an id."""
    found: dict[str, Idea] = {}
    troubles: list[Trouble] = []
    for id, propose in proposers:
        trouble = _collect(id, propose, found)
        troubles.extend([trouble] if trouble is not None else [])
    return Ideas(tuple(found.values()), tuple(troubles))
