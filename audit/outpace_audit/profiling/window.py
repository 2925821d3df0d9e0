"""Counts the script's steps, times a few as they are, and records a few more with torch.profiler."""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outpace_audit.profiling.backward_calls import BackwardCalls, in_backward
from outpace_audit.profiling.facts import facts_of_the_run, is_rank_zero, optimizer_facts, world_size
from outpace_audit.profiling.garbage import GarbageClock
from outpace_audit.profiling.graph_replays import GraphReplays
from outpace_audit.profiling.late import after_import
from outpace_audit.profiling.module_calls import ModuleCalls
from outpace_audit.profiling.optimizer_steps import OptimizerSteps
from outpace_audit.profiling.plan import ALREADY, CLAIM, IDLE, RUN, SETTLING, TRACE, Plan
from outpace_audit.profiling.ranks import Ranks

if TYPE_CHECKING:
    import torch

GRADIENTS = "torch.autograd.grad"


@dataclass
class _Seen:
    steps: int = 0
    plain_s: list[float] = field(default_factory=list)
    plain_thread_s: list[float] = field(default_factory=list)
    """The same steps by the clock of the thread, which other work on the machine does not lengthen."""
    recorded_thread_s: list[float] = field(default_factory=list)
    by: str = ""
    of: str = ""
    """What stepped: the optimizer's class, or the module's."""
    optimizer: dict[str, Any] = field(default_factory=dict)
    complete: int = 0
    """Steps in the trace from end to end; the script may have ended within one more."""
    recorded: bool = False
    """Whether there is a trace."""
    ends: bool = False
    """Whether the script ends, in all its ranks, without being asked to."""
    trouble: str = ""


class Window:
    """`install` starts it. What goes wrong in it is written down, and never raised into the script."""

    def __init__(self, folder: Path, root: Path, plan: Plan) -> None:
        self._folder = folder
        self._root = root
        self._plan = plan
        self._seen = _Seen()
        self._profiler: torch.profiler.profile | None = None
        self._thread = 0
        self._claimed = False
        self._forked = False
        self._owner: int | None = None
        """The optimizer (or module, or backward passes) whose steps are counted: the first that stepped."""
        self._last = self._thread_last = 0.0
        self._closed = False
        self._steps: OptimizerSteps | None = None
        self._calls: ModuleCalls | None = None
        self._backward: BackwardCalls | None = None
        self._gradients: BackwardCalls | None = None
        self._graphs = GraphReplays()
        self._stepped_within: dict[str, Any] = {}
        """What is known of an optimizer that has stepped in the backward pass that is under way."""
        self._awaited = False
        """Whether the script holds an optimizer that has not stepped yet."""
        self._unhook: Callable[[], None] | None = None
        self._garbage = GarbageClock()
        self._ranks = Ranks(folder)

    def install(self) -> None:
        from torch.optim.optimizer import register_optimizer_step_post_hook

        if self._plan.by != "call":
            self._steps = OptimizerSteps(self._optimizer_stepped)
            self._unhook = register_optimizer_step_post_hook(self._steps).remove
            self._backward = BackwardCalls("backward", self._backward_ended)
            self._backward.install()
            self._gradients = BackwardCalls("grad", self._gradients_taken)
            self._gradients.install()
        if self._plan.by != "optimizer":
            self._calls = ModuleCalls(self._module_called)
            self._calls.install()
        self._graphs.install()
        if "torch._dynamo" in sys.modules:
            self._keep_from_compilers()
        else:
            after_import("torch._dynamo", self._keep_from_compilers)
        (self._folder / f"{os.getpid()}{IDLE}").touch()
        atexit.register(self._at_exit)
        os.register_at_fork(after_in_child=self._forget)

    def _keep_from_compilers(self) -> None:
        """They take up all Python that is called from code which they could not compile, ours too."""
        import torch._dynamo

        disable: Any = torch._dynamo.disable
        if self._steps is not None:
            self._steps.stepped = disable(self._optimizer_stepped)
        if self._backward is not None:
            self._backward.ended = disable(self._backward_ended)
        if self._gradients is not None:
            self._gradients.ended = disable(self._gradients_taken)
        if self._calls is not None:
            self._calls.called = disable(self._module_called)

    def _forget(self) -> None:
        """A forked child is another process. The window is its parent's if that has stepped; else that of the first to.

        Modules that a child calls are no steps: workers of a DataLoader call some to prepare what they load.
        """
        self._forked = True
        self._forget_calls()
        if not self._closed and not self._seen.steps:
            return
        self._closed = True
        self._profiler = None
        self._garbage.pause()
        self._remove_hooks()

    # --- where steps come from ----------------------------------------------------------------------------------

    def _optimizer_stepped(self, optimizer: torch.optim.Optimizer) -> None:
        if self._closed:
            return
        facts = self._seen.optimizer or optimizer_facts(optimizer)
        if self._graphs.defers(lambda: self._step_of(optimizer, facts)):
            return
        if in_backward():
            self._stepped_within = facts
        else:
            self._step_of(optimizer, facts)

    def _step_of(self, stepped: object, facts: dict[str, Any]) -> None:
        if self._closed:
            return
        self._prefer("optimizer")
        self._seen.optimizer = self._seen.optimizer or facts
        self._boundary(stepped, "optimizer", facts["class"])

    def _backward_ended(self) -> None:
        facts, self._stepped_within = self._stepped_within, {}
        if self._closed or self._graphs.defers(self._backward_ended):
            return
        if facts:
            self._step_of(self._backward, facts)
        elif self._plan.by == "auto" and self._seen.by != "optimizer":
            self._prefer("backward")
            if not self._awaits_an_optimizer():
                self._boundary(self._backward, "backward", "pass")

    def _gradients_taken(self) -> None:
        """Other scripts take gradients within a step: to penalize them, or as part of what they compute."""
        if self._closed or self._plan.by != "auto" or self._seen.by not in ("", "call", GRADIENTS) or _is_traced():
            return
        if self._graphs.defers(self._gradients_taken):
            return
        self._prefer(GRADIENTS)
        if not self._awaits_an_optimizer():
            self._boundary(self._gradients, GRADIENTS, "call")

    def _module_called(self, module: torch.nn.Module) -> None:
        if self._closed or self._graphs.defers(lambda: self._module_called(module)):
            return
        if not self._awaits_an_optimizer():
            self._boundary(module, "call", type(module).__name__)

    def _prefer(self, by: str) -> None:
        """Steps end with this. What was counted until now came before the first, e.g. to accumulate or to evaluate."""
        self._forget_calls()
        if self._seen.by not in ("", by):
            self._abandon()
            self._garbage.pause()
            self._seen, self._owner, self._garbage = _Seen(), None, GarbageClock()

    def _awaits_an_optimizer(self) -> bool:
        """Asked where the recording would begin: one that the script holds steps yet, if that can be seen."""
        if self._steps is not None and self._steps.compiled:
            return False
        first = self._plan.warmup + self._plan.timed
        if not self._awaited and self._plan.by == "auto" and self._seen.steps == first - 1 and an_optimizer():
            self._awaited = True
            self._forget_calls()
        return self._awaited

    def _forget_calls(self) -> None:
        if self._calls is not None:
            self._calls.remove()
            self._calls = None

    def _boundary(self, stepped: object, by: str, of: str) -> None:
        if self._owner is None:
            self._owner, self._thread = id(stepped), threading.get_ident()
            self._seen.by, self._seen.of = by, of
        if id(stepped) != self._owner or self._closed or threading.get_ident() != self._thread:
            return
        self._garbage.pause()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the profiler, which the script's author did not ask for
                ended = self._stepped()
        except Exception as error:
            ended = True
            self._fail(f"{type(error).__name__}: {error}")
        if ended:
            self._end()
        elif not self._closed and self._seen.steps >= self._plan.warmup:
            self._garbage.resume()

    # --- the window ---------------------------------------------------------------------------------------------

    def _stepped(self) -> bool:
        """True after the last step of the window."""
        plan, seen = self._plan, self._seen
        seen.steps += 1
        recorded = seen.steps - plan.warmup - plan.timed
        if not self._claim():
            return self._accompanies()
        if seen.steps == plan.warmup or recorded in (0, SETTLING, SETTLING + plan.steps):
            _synchronize()
        now, thread_now = time.perf_counter(), time.thread_time()
        if plan.warmup < seen.steps <= plan.warmup + plan.timed:
            seen.plain_s.append(now - self._last)
            seen.plain_thread_s.append(thread_now - self._thread_last)
        elif recorded > SETTLING:
            seen.recorded_thread_s.append(thread_now - self._thread_last)
        if recorded == 0:
            self._start()
        elif recorded > 0 and self._profiler is not None:
            seen.complete = max(0, recorded - SETTLING)
            if recorded >= SETTLING + plan.steps:
                self._ranks.closing()
            self._profiler.step()
        self._last, self._thread_last = now, time.thread_time()
        return recorded >= SETTLING + plan.steps

    def _accompanies(self) -> bool:
        """Of a process that is not profiled: True if it ends with the one that is."""
        if self._plan.stop and world_size() > 1 and not is_rank_zero():
            if self._seen.steps < self._plan.needed:
                return False
            _synchronize()
            if self._ranks.wait():
                return True
        self._closed = True
        self._remove_hooks()
        return False

    def _claim(self) -> bool:
        """One process of a run is profiled: the first that steps, and of several ranks rank 0.

        One that has gone before it came to an end is no more in the way: a fork may have been there for a few steps.
        """
        if not self._claimed and is_rank_zero():
            claim = self._folder / CLAIM
            if _is_of_one_gone(claim):
                claim.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError), claim.open("x") as file:
                file.write(str(os.getpid()))
                self._claimed = True
        return self._claimed

    def _start(self) -> None:
        import torch
        from torch.profiler import ProfilerActivity, profile, schedule

        if torch.autograd._profiler_enabled():  # pyright: ignore[reportPrivateUsage]
            raise RuntimeError(ALREADY)
        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_initialized():
            activities.append(ProfilerActivity.CUDA)
        self._profiler = profile(
            activities=activities,
            schedule=schedule(wait=0, warmup=SETTLING, active=self._plan.steps, repeat=1),
            record_shapes=True,
            with_stack=True,
            on_trace_ready=self._export,
        )
        self._profiler.start()

    def _export(self, profiler: torch.profiler.profile) -> None:
        profiler.export_chrome_trace(str(self._folder / TRACE))
        self._seen.recorded = True

    def _fail(self, trouble: str) -> None:
        self._seen.trouble = trouble
        self._abandon()

    def _abandon(self) -> None:
        """What is being recorded is not wanted, or broken."""
        if self._profiler is not None:
            self._profiler.on_trace_ready = None
            with contextlib.suppress(Exception):
                self._profiler.stop()
            self._profiler = None

    def _end(self) -> None:
        if self._profiler is not None and not self._seen.trouble:
            with contextlib.suppress(Exception):
                self._profiler.stop()  # between windows: nothing is written again
        self._closed = True
        self._profiler = None
        self._remove_hooks()
        if self._claimed:
            self._seen.ends = self._plan.stop and not self._seen.trouble and self._ranks.all_wait(world_size())
            self._write()
            self._ranks.end(together=self._seen.ends)
        elif not self._seen.trouble:
            self._seen.ends = True
        if self._seen.ends:
            raise SystemExit(0)

    def _remove_hooks(self) -> None:
        self._forget_calls()
        self._graphs.remove()
        for calls in (self._backward, self._gradients):
            if calls is not None:
                calls.remove()
        if self._unhook is not None:
            self._unhook()
            self._unhook = None

    def _at_exit(self) -> None:
        """The script has ended before the window did: what was recorded of it is kept."""
        if self._closed:
            return
        self._closed = True
        if self._profiler is not None:
            if not self._seen.complete:
                self._profiler.on_trace_ready = None
            with contextlib.suppress(Exception):
                _synchronize()
                self._profiler.stop()  # one that is alive when the interpreter ends may end it by a signal
        if self._forked and not self._seen.complete:
            return
        self._seen.ends = True
        self._write()

    def _write(self) -> None:
        """Whole or not at all, of the process that has the window."""
        if not self._claimed:
            return
        self._garbage.pause()
        garbage = {"steps": max(0, self._seen.steps - self._plan.warmup), "pauses": self._garbage.pauses}
        try:
            facts = facts_of_the_run(self._root)
        except Exception as error:
            self._seen.trouble = f"{type(error).__name__}: {error}"
            self._seen.recorded, facts = False, {}
        document = {**asdict(self._seen), "garbage": garbage, **facts}
        path = self._folder / RUN
        partial = path.with_suffix(".partial")
        with contextlib.suppress(OSError):
            partial.write_text(json.dumps(document), encoding="utf-8")
            partial.replace(path)


def _is_of_one_gone(claim: Path) -> bool:
    try:
        os.kill(int(claim.read_text()), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):  # nobody's, or just being written
        return False
    return False


def an_optimizer() -> bool:
    """Whether the script holds one of torch's."""
    from torch.optim import Optimizer

    return any(issubclass(type(one), Optimizer) for one in gc.get_objects())


def _is_traced() -> bool:
    """Whether a compiler runs the script's code to see what it does."""
    guards = sys.modules.get("torch._guards")
    return guards is not None and guards.TracingContext.try_get() is not None


def _synchronize() -> None:
    torch = sys.modules["torch"]
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
