"""The callable under test inside an arm: a function, or a module rebuilt from its constructor arguments."""

from __future__ import annotations

import copy
import inspect
import sys
import types
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit import laws, truth
from outpace_audit.captured_calls import constructor_arguments, split_keywords
from outpace_audit.cotangents import differentiable_outputs
from outpace_audit.errors import ArmError
from outpace_audit.inputs import seed_everything
from outpace_audit.loading import symbol_of
from outpace_audit.records import Code
from outpace_audit.tensors import Leaf, flatten, is_inexact, sum_of_bits

CONSTRUCTION_SEED = 20260611
"""Both sides build their module under this seed, so that buffers drawn in a constructor agree; parameters are drawn
anew for every call."""

Mode = Literal["", "evaluating", "inferring", "dropping", "unrecorded", "recording"]

Number = int | float
NUMBERS = (bool, int, float, type(None))
"""None too: of many parameters it is the default."""

NO_GRADIENT = "gradients"
"""The phase in which a call fails whose results do not carry the gradients that the baseline's do."""

DROPOUTS = (
    torch.nn.Dropout,
    torch.nn.Dropout1d,
    torch.nn.Dropout2d,
    torch.nn.Dropout3d,
    torch.nn.AlphaDropout,
    torch.nn.FeatureAlphaDropout,
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one call gave: output leaves, then the gradients of every differentiable leaf (None where there is none).
    `returned`: what the call itself gave."""

    outputs: list[Leaf]
    gradients: list[Leaf]
    returned: Any = None

    def tensors(self) -> list[Leaf]:
        return [leaf for leaf in (*self.outputs, *self.gradients) if isinstance(leaf.value, torch.Tensor)]


class Subject:
    """`trains` decides whether a call means forward alone or forward and backward."""

    def __init__(
        self,
        code: Code,
        module: types.ModuleType,
        source: types.ModuleType,
        device: torch.device,
        other: Mapping[int | str, Number] | None = None,
    ) -> None:
        """`other`: numbers in place of some that the constructor is given, by position or keyword."""
        self.device = device
        self._other = dict(other or {})
        self.trains = False
        self.draws = False
        """It draws random numbers, the same ones before each call on all sides; see `reseed`."""
        self._records = False
        self.module: torch.nn.Module | None = None
        self._code, self._module, self._source = code, module, source
        self._captured = code.captured
        self._stats: dict[str, laws.ParameterStats] = {}
        self._dropouts: list[tuple[torch.nn.Module, str, float]] = []
        """Rates by module and attribute, as declared."""
        symbol = symbol_of(module, code.symbol)
        if code.kind == "function":
            if not callable(symbol):
                raise ArmError("load", "raised", f"{code.symbol!r} is not callable")
            self._call: Callable[..., Any] = symbol
        else:
            self.module = self._build(code, symbol, source)
            self._call = self.module
            self._stats = laws.parameter_stats(self.module)
        self._initial = [] if self.module is None else list(_initial_buffers(self.module))

    def _build(self, code: Code, symbol: object, source: types.ModuleType) -> torch.nn.Module:
        if not (isinstance(symbol, type) and issubclass(symbol, torch.nn.Module)):
            raise ArmError("load", "raised", f"{code.symbol!r} is not an nn.Module class")
        arguments, keywords = self._constructor_arguments(code, symbol, source)
        arguments = [self._other.get(i, value) for i, value in enumerate(arguments)]
        keywords = {name: self._other.get(name, value) for name, value in keywords.items()}
        seed_everything(CONSTRUCTION_SEED)
        built = symbol(*arguments, **keywords)
        self._dropouts = [(child, *rate) for child in built.modules() for rate in dropout_rates(child)]
        self._set_dropout(on=False)  # compared without its noise; see docs/audit.md, "random numbers"
        dtype = self._captured.dtype if self._captured else None
        return built.to(self.device, getattr(torch, dtype) if dtype else None)

    def _constructor_arguments(
        self, code: Code, symbol: type, source: types.ModuleType
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        seed_everything(CONSTRUCTION_SEED)
        if code.captured is not None and code.captured.constructor is not None:
            return constructor_arguments(code.captured, sys.modules[symbol.__module__], self.device.type)
        given = getattr(source, code.init_entry)() if code.init_entry else []
        return ([], given) if isinstance(given, Mapping) else (given, {})

    def set_training(self, trains: bool) -> None:
        self.trains = trains
        if self.module is not None:
            self.module.train(trains)

    def reseed(self, seed: int) -> None:
        """Before a call of what draws random numbers: every side draws those of this seed."""
        if self.draws:
            seed_everything(seed)

    @contextmanager
    def in_mode(self, mode: Mode, rng_seed: int) -> Generator[None]:
        """evaluating: as `eval()` leaves the module, its dropout as declared. inferring: so too, and nobody records
        gradients. dropping: as `train()` leaves it, noise drawn from `rng_seed`. unrecorded: as `train()` leaves it,
        no gradients, no noise. recording: what does not train, called where gradients are recorded; the mode that it
        leaves behind is its own. "": as always."""
        if mode == "recording":
            self._records = True
            try:
                yield
            finally:
                self._records = False
            return
        if mode == "unrecorded":
            with torch.no_grad():
                yield
            return
        if not mode:
            yield
            return
        recording = mode != "inferring" and torch.is_grad_enabled()
        with torch.set_grad_enabled(recording), self._module_mode(mode, rng_seed):
            yield

    @contextmanager
    def _module_mode(self, mode: Mode, rng_seed: int) -> Generator[None]:
        if self.module is None:
            yield
            return
        self.module.train(mode == "dropping")
        seed_everything(rng_seed)
        self._set_dropout(on=True)
        try:
            yield
        finally:
            self._set_dropout(on=False)
            self.module.train(self.trains)

    def _set_dropout(self, *, on: bool) -> None:
        for child, name, rate in self._dropouts:
            setattr(child, name, rate if on else 0.0)

    def drops(self) -> bool:
        """Whether `train()` makes the module random."""
        return bool(self._dropouts)

    def adopt_statistics(self, stats: Mapping[str, Sequence[float]]) -> None:
        """Draw parameters by the baseline's statistics, not by what this side's constructor happened to give."""
        self._stats = {name: laws.ParameterStats(*values) for name, values in stats.items()}

    def statistics(self) -> dict[str, list[float]]:
        """Mean and standard deviation of every parameter as the constructor left it."""
        return {name: [stats.mean, stats.std] for name, stats in self._stats.items()}

    def contract(self) -> dict[str, list[Any]]:
        """Names, shapes, dtypes and roles of the persistent state, for the state-dict contract."""
        if self.module is None:
            return {}
        return {
            name: [list(value.shape), str(value.dtype), role_of(value)]
            for name, value in self.module.state_dict(keep_vars=True).items()
        }

    def defaults(self, given: int) -> list[tuple[str, bool | int | float | None]]:
        """Name and default of each parameter after the first `given`, up to the first of another kind."""
        if self._captured is not None:
            return []  # a captured call shows its keywords, too
        call = self._call if self.module is None else self.module.forward
        try:
            parameters = list(inspect.signature(call).parameters.values())[given:]
        except (TypeError, ValueError):  # builtins have none
            return []
        found: list[tuple[str, bool | int | float | None]] = []
        for one in parameters:
            if one.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD or type(one.default) not in NUMBERS:
                break
            found.append((one.name, one.default))
        return found

    def parameter_names(self) -> list[str]:
        """What the target calls its arguments."""
        try:
            return list(inspect.signature(self._call if self.module is None else self.module.forward).parameters)
        except (TypeError, ValueError):
            return []

    def draw_parameters(self, seed: int, factor: float = 1.0, *, alike: bool = False, unmarked: bool = False) -> None:
        """See `perturb_parameters`."""
        if self.module is not None:
            laws.perturb_parameters(self.module, seed, self._stats, factor, alike=alike, unmarked=unmarked)

    def parameters(self) -> list[torch.Tensor]:
        return [] if self.module is None else list(self.module.parameters())

    def parameter_sums(self) -> dict[str, int]:
        """Of each parameter's bits, read as integers: no copy, since a model may fill half of the memory."""
        if self.module is None:
            return {}
        return {name: sum_of_bits(value) for name, value in self.module.named_parameters()}

    def prepare(self, arguments: list[Any], differentiate: bool) -> list[Any]:
        """Marks floating inputs of a module's training call as leaves whose gradient is wanted. (Captured ones say
        themselves which do.)"""
        if self.trains and differentiate and self.module is not None and self._captured is None:
            for tensor in tree_leaves(arguments):
                if isinstance(tensor, torch.Tensor) and tensor.is_leaf and is_inexact(tensor):
                    tensor.requires_grad_(True)
        return arguments

    def asked_for_gradients(self, arguments: Sequence[Any]) -> AbstractContextManager[None]:
        """A call like one that trains, all its floating inputs among the leaves."""
        floats = [one for one in tree_leaves(list(arguments)) if isinstance(one, torch.Tensor) and is_inexact(one)]
        for one in floats:
            one.requires_grad_()
        return self._as_if_trained() if floats else nullcontext()

    @contextmanager
    def _as_if_trained(self) -> Generator[None]:
        trained, self.trains = self.trains, True
        try:
            yield
        finally:
            self.trains = trained

    def leaves(self, arguments: Sequence[Any]) -> list[Leaf]:
        """Everything whose gradient a training call gives: inputs first, then parameters."""
        found = [
            Leaf(f"input {i}", t)
            for i, t in enumerate(tree_leaves(list(arguments)))
            if isinstance(t, torch.Tensor) and t.requires_grad
        ]
        if self.module is not None:
            found += [Leaf(f"parameter {n}", p) for n, p in self.module.named_parameters() if p.requires_grad]
        return found

    def outputs(self, arguments: Sequence[Any]) -> Any:
        if self.trains or self._records:
            return self._invoke(arguments)
        with torch.no_grad():
            return self._invoke(arguments)

    def _invoke(self, arguments: Sequence[Any]) -> Any:
        if self._captured is None:
            return self._call(*arguments)
        positional, keywords = split_keywords(arguments)
        if self._captured.autocast is None:
            return self._call(*positional, **keywords)
        with torch.autocast(self.device.type, getattr(torch, self._captured.autocast)):
            return self._call(*positional, **keywords)

    def run(
        self,
        arguments: Sequence[Any],
        cotangents: Sequence[torch.Tensor] | None,
        *,
        twice: bool = False,
        alone: int | None = None,
        meanwhile: Callable[[Sequence[Leaf]], AbstractContextManager[None]] = lambda outputs: nullcontext(),
    ) -> Result:
        """One call; with `cotangents` (one for each differentiable output) also the gradients. `twice`: those of a
        second backward pass over the same graph. `alone`: those of this result alone. `meanwhile`: what holds, given
        the outputs, during the backward pass."""
        returned = self.outputs(arguments)
        outputs = flatten(returned)
        if not self.trains or cotangents is None:
            return Result(outputs, [], returned)
        leaves = self.leaves(arguments)
        differentiable = differentiable_outputs(outputs)
        if len(differentiable) != len(cotangents):
            raise ArmError(
                NO_GRADIENT,
                "raised",
                f"{len(differentiable)} outputs carry gradients, the baseline's {len(cotangents)}",
            )
        if any(one.shape != other.shape for one, other in zip(differentiable, cotangents, strict=True)):
            return Result(outputs, [], returned)  # results of another shape, which is what the judge should hear of
        wanted, given = [leaf.value for leaf in leaves], list(cotangents)
        if alone is not None:
            differentiable, given = [differentiable[alone]], [given[alone]]
        if twice:
            torch.autograd.grad(differentiable, wanted, given, allow_unused=True, retain_graph=True)
        with meanwhile(outputs):
            gradients: Sequence[torch.Tensor | None] = torch.autograd.grad(
                differentiable, wanted, given, allow_unused=True
            )
        named = [Leaf(f"gradient of {leaf.path}", g) for leaf, g in zip(leaves, gradients, strict=True)]
        return Result(outputs, named, returned)

    def lifted(self) -> Subject:
        """The same subject with its parameters and buffers in fp64, for a truth run."""
        if self.module is None:
            return self
        twin = copy.copy(self)
        twin.module = truth.lift_module(self.module)
        twin._call = twin.module
        return twin

    def twin(self) -> Subject:
        """Another instance, made as this one was."""
        twin = Subject(self._code, self._module, self._source, self.device)
        twin.set_training(self.trains)
        twin.draws = self.draws
        twin.adopt_statistics(self.statistics())
        return twin

    def copied(self) -> Subject:
        """A copy of the module, as it has become, whose parameters were then assigned anew; ties between them stay."""
        assert self.module is not None, "functions are not copied"
        self.reset_buffers()
        twin = copy.copy(self)
        twin.module = copy.deepcopy(self.module)
        twin._call = twin.module
        twin._initial = list(_initial_buffers(twin.module))
        anew: dict[int, torch.nn.Parameter] = {}
        for path, parameter in list(twin.module.named_parameters(remove_duplicate=False)):
            owner, _, name = path.rpartition(".")
            if id(parameter) not in anew:
                anew[id(parameter)] = torch.nn.Parameter(parameter.detach().clone(), parameter.requires_grad)
            setattr(twin.module.get_submodule(owner), name, anew[id(parameter)])
        return twin

    def made_with(self) -> list[tuple[int | str, Number]]:
        """The plain numbers among what `get_init_inputs` gives the constructor, by position or keyword."""
        symbol = symbol_of(self._module, self._code.symbol)
        if not isinstance(symbol, type) or self._code.captured is not None:
            return []
        positional, keywords = self._constructor_arguments(self._code, symbol, self._source)
        named = [*enumerate(positional), *keywords.items()]
        return [(place, value) for place, value in named if type(value) in (int, float)]

    def made_otherwise(self, place: int | str, value: Number) -> Subject:
        """Another instance, made with another number."""
        made = Subject(self._code, self._module, self._source, self.device, {place: value})
        made.set_training(self.trains)
        made.draws = self.draws
        return made

    def reset_buffers(self) -> None:
        """As the constructor left them, also where a call has put another tensor in a buffer's place."""
        for owner, name, buffer, initial in self._initial:
            buffer.copy_(initial)
            if getattr(owner, name, None) is not buffer:
                setattr(owner, name, buffer)

    def buffers(self) -> list[Leaf]:
        if self.module is None:
            return []
        return [Leaf(f"buffer {name}", value) for name, value in self.module.named_buffers()]


def _initial_buffers(module: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, str, torch.Tensor, torch.Tensor]]:
    """Owner, attribute, buffer, and its values."""
    for path, buffer in module.named_buffers():
        owner, _, name = path.rpartition(".")
        yield module.get_submodule(owner), name, buffer, buffer.clone()


def dropout_rates(module: torch.nn.Module) -> Iterator[tuple[str, float]]:
    """Attributes that are rates of dropout: `p` of a dropout layer, and what is named so in a recurrent layer, in
    attention, or in a module that drops by function call."""
    for name, value in vars(module).items():
        named = name == "p" if isinstance(module, DROPOUTS) else "drop" in name.lower()
        if named and type(value) is float and 0 < value <= 1:
            yield name, value


def role_of(value: torch.Tensor) -> str:
    """What optimizers, casts and replicas take it for."""
    if not isinstance(value, torch.nn.Parameter):
        return "buffer"
    return "parameter" if value.requires_grad else "frozen parameter"
