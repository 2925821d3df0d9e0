"""The judge: knows one baseline at a time and audits candidates for it. It executes no user code; its arms do."""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from outpace_audit import headers
from outpace_audit.auditing import Audit, Listener, Options
from outpace_audit.compile_cache import drop_half_written
from outpace_audit.errors import ArmError, EnvironmentMissing, OutOfResources
from outpace_audit.facts import TargetFacts, explored, learn
from outpace_audit.fewer import helps_to_leave_out, without_largest
from outpace_audit.gpu_load import Gpu
from outpace_audit.launcher import Launcher
from outpace_audit.observing import Trio
from outpace_audit.records import Code, Machine, Patch, Verdict, Workload
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Side, load_timeout
from outpace_audit.thresholds import COMPILE_TIMEOUT_S, LOAD_TIMEOUT_S

ARM_ENTRY = "outpace_audit.arm:serve"


class Judge:
    """One judge for one device. Use as a context: leaving it ends every process it started."""

    def __init__(self, device: Literal["cpu", "cuda"], launcher: Launcher, state: Path) -> None:
        """`state`: the .outpace folder, which arms cannot see but for the compile caches in it."""
        self._device = device
        self._caches = state / "cache" / "compile"
        self.launcher = launcher
        self._oracle: Side | None = None
        self._reference: Side | None = None
        self._facts: TargetFacts | None = None
        self._machine: Machine | None = None
        self._deadline = math.inf
        self.protections: tuple[str, ...] = ()

    def __enter__(self) -> Judge:
        self.launcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.launcher.close()

    @property
    def facts(self) -> TargetFacts:
        assert self._facts is not None, "set_target comes first"
        return self._facts

    @property
    def machine(self) -> Machine:
        if self._machine is None:
            side = self.launch("machine", "baseline")
            try:
                with self.memory_explained():
                    self._machine = Machine(**side.ask("machine", LOAD_TIMEOUT_S, device=self._device))
            except ArmError as error:
                raise EnvironmentMissing(f"no usable {self._device} device: {error}") from error
            finally:
                side.close()
        return self._machine

    def launch(self, name: str, cache_key: str, *, compiles: bool = False, entry: str = ARM_ENTRY) -> Side:
        """A fresh sandboxed process with the compile cache of `cache_key`; C++ extensions are built in it too."""
        cache = self._caches / cache_key
        cache.mkdir(parents=True, exist_ok=True)
        drop_half_written(cache)
        env = {
            "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
            "TRITON_CACHE_DIR": str(cache / "triton"),
            "TORCH_EXTENSIONS_DIR": str(cache / "extensions"),
            # ninja is a Python package too, whose program is on no path where the interpreter is called by its name.
            "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(self.launcher.python).parent)]),
        }
        process = self.launcher.launch(
            entry,
            writable=(str(cache),),
            env=env,
            compiles=compiles,
            headers=self._headers if compiles else None,
        )
        self.protections = process.protections
        return Side(process, name, self._deadline if name == "candidate" else math.inf)

    @functools.cached_property
    def _headers(self) -> Path | None:
        return headers.kept_headers(self.machine, self.launcher.python, self._make_headers)

    def _make_headers(self, folder: Path) -> None:
        side = Side(self.launcher.launch(headers.ENTRY, writable=(str(folder),), compiles=True), "headers")
        try:
            side.ask("make", COMPILE_TIMEOUT_S, folder=str(folder))
        finally:
            side.close()

    def set_target(
        self, code: Code, workloads: Sequence[Workload], *, inference: bool = False, scouts: bool = True
    ) -> TargetFacts:
        """Loads the baseline in an oracle and learns how to call it. `scouts`: also on what else it runs."""
        for side in (self._oracle, self._reference):
            if side is not None:
                side.close()
        self._reference = None
        _ = self.machine
        self._facts = self._learnt(code, workloads, inference=inference)
        if scouts:
            with self.memory_explained():
                self._facts = explored(self._facts, lambda: self.side_of(code, "scout")[0])
        return self._facts

    def _learnt(self, code: Code, workloads: Sequence[Workload], *, inference: bool) -> TargetFacts:
        """Without the largest workloads where memory does not last for them."""
        notes: list[str] = []
        while True:
            cache_key = code.id if code.builds else "baseline"
            self._oracle = oracle = self.launch("oracle", cache_key)
            try:
                with self.memory_explained():
                    facts = learn(
                        oracle,
                        code,
                        workloads,
                        self._device,
                        lambda key=cache_key: self.launch("scout", key),
                        inference=inference,
                    )
                return replace(facts, notes=(*notes, *facts.notes))
            except OutOfResources as error:
                oracle.close()
                if not helps_to_leave_out(workloads) or "memory" not in str(error):
                    raise
                workloads, largest = without_largest(workloads)
                notes.append(f"left out: {largest.label}: {error}")

    def side_of(self, code: Code, name: str, entry: str = ARM_ENTRY) -> tuple[Side, Mapping[str, Any]]:
        """A fresh process that has loaded one side and knows every workload, and the state dict it declares."""
        ((side, state),) = self.sides_of([(code, name)], entry)
        return side, state

    def sides_of(
        self, wanted: Sequence[tuple[Code, str]], entry: str = ARM_ENTRY
    ) -> list[tuple[Side, Mapping[str, Any]]]:
        """The same for several sides, which load at the same time."""
        facts, sides = self.facts, list[Side]()
        try:
            for code, name in wanted:
                cache_key = "baseline" if code.id == facts.code.id and not code.builds else code.id
                side = self.launch(name, cache_key, compiles=code.compiles, entry=entry)
                sides.append(side)
                side.begin_load(code, facts.code, self._device)
            states = [
                side.answer("load", load_timeout(code))["state"] for side, (code, _) in zip(sides, wanted, strict=True)
            ]
            for side in sides:
                for one in facts.workloads:
                    side.workload(one.workload)
                side.train(facts.trains, facts.statistics, draws=bool(facts.draws))
        except BaseException:
            for side in sides:
                side.close()
            raise
        return list(zip(sides, states, strict=True))

    def audit(
        self,
        candidate: Code,
        patch: Patch | None = None,
        options: Options | None = None,
        listener: Listener | None = None,
    ) -> Verdict:
        """The verdict on one candidate. Raises OutOfResources for troubles that are no verdict."""
        options = options or Options()
        self._deadline = time.monotonic() + options.limit_s
        return Audit(self, candidate, patch, options, listener or (lambda kind, payload: None)).run()

    def stood_still(self, seconds: float) -> None:
        """The candidate's time does not run while the device is another's."""
        self._deadline += seconds

    @contextmanager
    def memory_explained(self) -> Generator[None]:
        """Says of a GPU whose memory ran out how much of it is free, and who holds the rest."""
        try:
            yield
        except OutOfResources as error:
            gpu = Gpu.of(self._machine) if self._machine else Gpu.first_visible()
            words = gpu.memory_words() if self._device == "cuda" and "memory" in str(error) else ""
            raise OutOfResources(f"{error}; {words}" if words else str(error)) from error

    def trio(self, candidate: Side, seeds: SeedSource) -> Trio:
        return Trio(self._oracle_side(), self._reference_side(), candidate, seeds)

    def _oracle_side(self) -> Side:
        assert self._oracle is not None, "set_target comes first"
        return self._oracle

    def _reference_side(self) -> Side:
        """The baseline at working precision, kept between audits."""
        if self._reference is None or not self._reference.process.alive():
            self._reference, _ = self.side_of(self.facts.code, "baseline")
        return self._reference
