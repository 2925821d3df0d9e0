"""The records that judge, arms and loop exchange. Standard library only; ids are content hashes.

Times are in seconds, sizes in bytes, intervals are (low, high) of a speedup ratio (baseline time / candidate time).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from outpace_audit.samples import Samples

AUDITOR_VERSION = "20"
"""Raised whenever a check or threshold changes: verdicts of another version are not comparable."""

NumericsClass = Literal["exact", "tolerant", "lossy", "statistical"]
Policy = Literal["exact", "tolerant"]
Level = Literal["L0", "L1", "L2", "L3", "L4", "L5"]
LEVELS: tuple[Level, ...] = ("L0", "L1", "L2", "L3", "L4", "L5")


def content_id(*parts: Any) -> str:
    """Sixteen hex digits of SHA-256 over the canonical JSON of `parts`."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=asdict)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Law:
    """How the values of one tensor are drawn.

    `kind` and its parameters:
    normal(mean, std, low, high): clamped to low..high; uniform(low, high); positive(offset): |normal| + offset;
    integers(low, high, padding, share, order): high exclusive, a `share` of them `padding`, sorted where the order is
    "falls"; bernoulli(p): 0/1 in the tensor's dtype; causal(low, keep): `keep` or 0 on and below the diagonal of the
    last two dims, `low` or the dtype's minimum above; softmax(): of a normal over the last dim; angle(function): cos or
    sin of a clipped normal; fan_in(): normal / sqrt(last dim); running_sum(low, high): cumulative sum of a uniform over
    the last dim; fp4_packed(): random nibbles; sorted_integers(low, high), permutation() and arange() of the last dim;
    fixed(values): always these whole numbers; choice(values, shares): each value with its share. Lists are texts with
    commas. lengths(first, rest, all_first, all_rest): rows of `first` up to some place, then `rest`, as in the mask of
    padded sequences; the last two say whether a row may be all of one.
    """

    kind: str
    params: dict[str, float | str] = field(default_factory=dict[str, "float | str"])


NUMBER = "number"
"""Key of a plain argument that JSON has no word for: {NUMBER: "inf"}."""


@dataclass(frozen=True, slots=True)
class ArgSpec:
    """One argument of a call: a tensor (`shape` and `dtype` set) or a plain Python value (`shape` None)."""

    name: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    law: Law | None = None
    value: bool | int | float | str | None = None
    """With a dtype, a text is the number that it says: an infinity, or NaN."""
    stride: tuple[int, ...] | None = None
    """None for contiguous."""
    requires_grad: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """How to make one call's inputs.

    maker = "laws": draw each of `args` by its law.
    maker = "get_inputs": call `entry()` of the workload source under a seed; it returns the positional arguments.
    maker = "custom": call `entry(axes_and_scalars, device)` of the workload source under a seed; it returns a dict that
    covers `args` by name (SOL-ExecBench's custom_inputs_entrypoint); `axes` and scalar args are passed to it.
    Both: what of `args` has a law is drawn by it instead, since the maker gives a constant (see `renewal`).
    maker = "captured": draw `args` by their laws, and put them where `structure` has its leaves (see `encoding`).
    """

    label: str
    maker: Literal["laws", "get_inputs", "custom", "captured"]
    origin: Literal["declared", "captured", "benchmark"]
    args: tuple[ArgSpec, ...] = ()
    entry: str | None = None
    axes: dict[str, int] = field(default_factory=dict[str, int])
    shrunk_from: dict[str, int] | None = None
    """The axes before they were made smaller to fit this machine; None where the workload is as given."""
    structure: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        return content_id(asdict(self))


@dataclass(frozen=True, slots=True)
class Captured:
    """What a run of the user's own script showed of a target's surroundings, values as `encoding` has them."""

    constructor: tuple[Any, ...] | None = None
    """[class, arguments, keywords] of a module."""
    dtype: str | None = None
    """Of a module's parameters, where it is not the default."""
    autocast: str | None = None
    """The dtype that torch.autocast was on with."""
    script: bool = False
    """The file ran as a script: it is loaded without its running part (`slicing`)."""
    globals: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of a script: the values of the module-level names that the target reaches."""
    names: tuple[str, ...] = ()
    """Of a script: top-level names that the arguments of its calls refer to, such as the class of a named tuple."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that comes with a candidate. `path` is relative, without `..`."""

    path: str
    text: str


_COMPILES = re.compile(r"\btorch\.compile\b|^\s*from torch import\b.*\bcompile\b", re.MULTILINE)
_TORCH = re.compile(r"\bimport torch as (\w+)")
_BUILDS = re.compile(r"\bcpp_extension\b")


@dataclass(frozen=True, slots=True)
class Code:
    """One side's source: the text of one file, and the callable in it.

    `path` is where the file stands (or would stand) in the user's tree: siblings and packages are imported from there.
    `symbol` is a top-level function or nn.Module class; `init_entry` names the function that gives the constructor's
    arguments (KernelBench's get_init_inputs), where the class takes any.
    """

    path: str
    source: str
    symbol: str
    kind: Literal["function", "module"]
    init_entry: str | None = None
    captured: Captured | None = None
    files: tuple[NewFile, ...] = ()
    """What comes with it and is in no tree; imported from before all else."""

    @property
    def id(self) -> str:
        return content_id(self.path, self.source, self.symbol, self.files)

    @property
    def texts(self) -> tuple[str, ...]:
        """All of its Python."""
        return self.source, *(file.text for file in self.files if file.path.endswith(".py"))

    @property
    def compiles(self) -> bool:
        """Whether its text names torch.compile, by whatever name torch has there."""
        return any(_COMPILES.search(text) for text in self.texts) or any(
            re.search(rf"\b{re.escape(name)}\.compile\b", text) for text in self.texts for name in _TORCH.findall(text)
        )

    @property
    def builds(self) -> bool:
        """Whether its text names what compiles C++ and CUDA as it runs (see native_builds.py)."""
        return any(_BUILDS.search(text) for text in self.texts)


@dataclass(frozen=True, slots=True)
class Span:
    """Qualified name of a function or class that a patch may change, e.g. `Attention.forward`, or of a constant or a
    build of the top level (see constants.py)."""

    qualname: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A proposed edit of one file: the whole new text, and which definitions it may have changed."""

    path: str
    base_hash: str
    new_source: str
    spans: tuple[Span, ...]
    files: tuple[NewFile, ...] = ()
    """That the text needs."""

    @property
    def id(self) -> str:
        return content_id(self.path, self.base_hash, self.new_source, self.files)


@dataclass(frozen=True, slots=True)
class Idea:
    """One change that somebody believes in, before anything was measured."""

    rule: str
    title: str
    rationale: str
    claimed_class: NumericsClass
    patch: Patch
    proposer: str = "rules"
    """Whose idea it was: "rules", "tuner", or "model NAME" for a language model's."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a verdict was reached."""

    device: Literal["cpu", "cuda"]
    name: str
    uuid: str
    cpu: str
    cores: int
    python: str
    torch: str
    triton: str | None
    cuda: str | None
    driver: str | None
    ceilings: dict[str, float] = field(default_factory=dict[str, float])
    """Measured or datasheet rates: `*_bytes_per_s`. A rate nobody measured or published is absent, never guessed."""


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check: `evidence` is one line for a person, `numbers` the same for a program."""

    name: str
    level: Level
    passed: bool
    evidence: str
    threshold: str = ""
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Tolerance:
    """That a benchmark's workload declares: so large a share of the elements lies within atol + rtol * |reference|."""

    max_atol: float = 1e-2
    max_rtol: float = 1e-2
    required_matched_ratio: float = 0.99
    max_error_cap: float | None = None
    allow_negative_inf: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """How many of a workload's elements lie within its own tolerance, and whether these are enough."""

    workload: str
    share: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Closely:
    """How a first look is taken where what it measures is kept: in so many windows, with so much time for each variant
    to load and compile, and again to be timed; beside it what the workloads' own tolerances say, by label."""

    rounds: int
    limit_s: float
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict[str, Tolerance])


@dataclass(frozen=True, slots=True)
class QuickLook:
    """What a moment with a variant showed: `failure`, else about how many times as fast as the baseline it is. Never
    shown as a gain."""

    failure: str = ""
    ratio: float | None = None
    baseline_s: float = 0.0
    candidate_s: float = 0.0
    passing: bool = False
    """The failure may have been the machine's: memory ran out."""
    samples: tuple[Samples, ...] = ()
    """Of each workload, where it was looked at closely; so are the next two."""
    matches: tuple[Match, ...] = ()
    compile_s: float = 0.0
    """To load and to make the first call of each workload, others at work beside it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Speedup of one workload over fresh process pairs, by the judge's outside clock."""

    workload: str
    speedup: float
    interval: tuple[float, float]
    confidence: float
    pairs: int
    baseline_s: float
    candidate_s: float
    mode: Literal["as-called", "graph"]
    log_ratios: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Seeds:
    """The root of all seeds of one audit, revealed: `commitment` is its SHA-256, published before the first draw."""

    commitment: str
    root: str
    """In hexadecimal."""
    draws: dict[str, int]
    """How many seeds were drawn, by purpose: see seeds.py."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge decided, with everything needed to doubt it."""

    id: str
    accepted: bool
    reason: str
    numerics: NumericsClass | None
    level: Level | None
    """The highest level at which every check that ran has passed; None if L0 failed."""
    speedup: float | None
    interval: tuple[float, float] | None
    timings: tuple[Timing, ...]
    checks: tuple[Check, ...]
    machine: Machine
    protections: tuple[str, ...]
    trains: bool
    truth: str
    auditor: str = AUDITOR_VERSION
    seeds: Seeds | None = None
    """None in verdicts from before seeds were committed to."""

    @property
    def failed(self) -> Check | None:
        """The first check that failed, in the order they ran."""
        return next((check for check in self.checks if not check.passed), None)
