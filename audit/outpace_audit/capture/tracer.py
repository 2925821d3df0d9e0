"""The tracer itself: Python's profile hook, which sees every call with its bound arguments and changes none of them."""

from __future__ import annotations

import atexit
import contextlib
import copy
import json
import os
import sys
import threading
import time
import types
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outpace_audit.capture.arguments import ArgumentEncoder, bound_arguments, built_with
from outpace_audit.capture.definitions import Definition, Project
from outpace_audit.encoding import MAIN_NAMES, Unencodable

if TYPE_CHECKING:
    import torch

    from outpace_audit.capture.recording import SeenTarget

FORMAT = 1
FLUSH_S = 2.0
"""A script that is killed loses at most what it showed in so many seconds."""
VARIANTS = 64
"""Of one class, built with different arguments: as many layers as anybody numbers."""
NOT_SEEN = "its construction was not seen (loaded from a file, or made in another process)"


JIT_CALLS = frozenset({"script", "script_method", "trace"})
JIT_HOMES = ("torch/jit/_script.py", "torch/jit/_trace.py")


class _Stack(threading.local):
    def __init__(self) -> None:
        self.open: list[tuple[types.FrameType, SeenTarget, float]] = []


class Tracer:
    """`install` starts it. Everything else happens in `_on_event`, which never raises into the script."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._project = Project(root)
        self._codes: dict[int, tuple[types.CodeType, Definition | None]] = {}
        """By identity: hashing a code object reads all of it."""
        self._targets: dict[tuple[str, str, str], SeenTarget] = {}
        """By file, name and, of a module, what it was built with."""
        self._modules: weakref.WeakKeyDictionary[torch.nn.Module, SeenTarget] = weakref.WeakKeyDictionary()
        self._constructors: weakref.WeakKeyDictionary[torch.nn.Module, Any] = weakref.WeakKeyDictionary()
        self._stack = _Stack()
        self._jit = False
        """Whether the script compiles code of its own with torch.jit, whose calls show nothing."""
        self._own_s = 0.0
        self._flushed = time.monotonic()
        self._pid = os.getpid()

    def install(self) -> None:
        threading.setprofile(self._on_event)
        sys.setprofile(self._on_event)
        atexit.register(self.flush)
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A fork starts with nothing: what was seen so far is its parent's."""
        self._targets.clear()
        self._modules.clear()
        self._stack = _Stack()
        self._pid = os.getpid()

    def _on_event(self, frame: types.FrameType, event: str, argument: object) -> None:
        if event == "call":
            definition = self._definition(frame.f_code)
            if definition is not None or frame.f_code.co_name == "__init__":
                self._guarded(frame, definition)
            elif frame.f_code.co_name in JIT_CALLS and not self._jit:
                self._jit = self._compiles(frame)
        elif event == "return" and self._stack.open and self._stack.open[-1][0] is frame:
            _, target, began = self._stack.open.pop()
            target.seconds += time.perf_counter() - self._own_s - began
            self._flush_if_due()
        elif event == "return" and frame.f_code is copy.deepcopy.__code__:
            with contextlib.suppress(Exception):
                self._copied(frame, argument)

    def _compiles(self, frame: types.FrameType) -> bool:
        """Whether this is a call of torch.jit's from a file of the project, with torch.jit on."""
        caller = frame.f_back
        if os.environ.get("PYTORCH_JIT") == "0" or not frame.f_code.co_filename.endswith(JIT_HOMES):
            return False
        return caller is not None and self._project.own(caller.f_code.co_filename) is not None

    def _definition(self, code: types.CodeType) -> Definition | None:
        known = self._codes.get(id(code))
        if known is None:
            known = self._codes[id(code)] = (code, self._project.definition_of(code))
        return known[1]

    def _guarded(self, frame: types.FrameType, definition: Definition | None) -> None:
        torch_module = sys.modules.get("torch")
        if torch_module is None or not hasattr(torch_module, "nn"):  # still being imported
            return
        began = time.perf_counter()
        target = None
        with contextlib.suppress(Exception):  # a call that cannot be described is the tracer's loss, not the script's
            if frame.f_code.co_name == "__init__":
                self._constructed(frame)
            elif definition is not None:
                target = self._called(frame, definition)
        now = time.perf_counter()
        self._own_s += now - began
        if target is not None:
            self._stack.open.append((frame, target, now - self._own_s))

    def _constructed(self, frame: types.FrameType) -> None:
        """The outermost constructor of an nn.Module says what it was made with."""
        import torch

        names = frame.f_code.co_varnames
        made = frame.f_locals.get(names[0]) if names else None
        if not isinstance(made, torch.nn.Module) or made in self._constructors:
            return
        try:
            self._constructors[made] = built_with(made, frame, ArgumentEncoder(constructor=self._constructor_of))
        except Unencodable as error:
            self._constructors[made] = f"it was built with {error}"

    def _copied(self, frame: types.FrameType, copied: object) -> None:
        """A deep copy was built with what its original was built with."""
        import torch

        original = frame.f_locals.get("x")
        if isinstance(original, torch.nn.Module) and isinstance(copied, torch.nn.Module):
            built = self._constructors.get(original)
            if built is not None:
                self._constructors.setdefault(copied, built)

    def _constructor_of(self, module: torch.nn.Module) -> list[Any] | None:
        found = self._constructors.get(module)
        return found if isinstance(found, list) else None

    def _called(self, frame: types.FrameType, definition: Definition) -> SeenTarget | None:
        positional, keywords = bound_arguments(frame)
        if definition.kind == "function":
            key = (definition.path, definition.name, "")
            target = self._targets.get(key) or self._begun(key, frame, list(positional))
        else:
            target = self._module_called(frame, positional)
        if target is not None:
            target.add(positional, keywords, self._constructor_of)
        return target

    def _module_called(self, frame: types.FrameType, positional: dict[str, Any]) -> SeenTarget | None:
        """Takes the module out of `positional`."""
        import torch

        from outpace_audit.capture.recording import home_of

        module = positional.pop(next(iter(positional), ""), None)
        if not isinstance(module, torch.nn.Module):
            return None
        if (known := self._modules.get(module)) is not None:
            return known
        path = self._project.own(home_of(type(module)) or "")
        if path is None:  # a class made inside a function, or somebody else's
            return None
        built = self._constructors.get(module, NOT_SEEN)
        key = (path, type(module).__name__, json.dumps(built))
        if key not in self._targets and sum(one[:2] == key[:2] for one in self._targets) >= VARIANTS:
            return None
        target = self._targets.get(key) or self._begun(key, frame, list(positional), module)
        self._modules[module] = target
        return target

    def _begun(
        self, key: tuple[str, str, str], frame: types.FrameType, parameters: list[str],
        module: torch.nn.Module | None = None,
    ) -> SeenTarget:  # fmt: skip
        from outpace_audit.capture.recording import SeenTarget, parameter_dtype, plain_globals

        home = str(frame.f_globals.get("__name__")) if module is None else type(module).__module__
        target = SeenTarget(key[0], key[1], "function" if module is None else "module", home, parameters)
        if module is not None:
            built = self._constructors.get(module, NOT_SEEN)
            if isinstance(built, str):
                target.trouble = built
            else:
                target.constructor = built
            target.dtype = parameter_dtype(module)
        if home in MAIN_NAMES:
            target.globals = plain_globals(key[0], frame.f_globals)
        self._targets[key] = target
        return target

    # --- what becomes of it -------------------------------------------------------------------------------------

    def _flush_if_due(self) -> None:
        if time.monotonic() - self._flushed > FLUSH_S:
            began = time.perf_counter()
            self.flush()
            self._own_s += time.perf_counter() - began

    def flush(self) -> None:
        """Writes all that was seen, whole or not at all."""
        self._flushed = time.monotonic()
        if not self._targets and not self._jit:
            return
        main = getattr(sys.modules.get("__main__"), "__file__", None)
        document = {
            "format": FORMAT,
            "pid": self._pid,
            "argv": list(sys.argv),
            "main": os.path.realpath(main) if main else None,
            "python": sys.executable,
            "hook_kept": sys.getprofile() is not None,
            "jit": self._jit,
            "targets": [_to_json(target) for target in list(self._targets.values())],
        }
        path = self._folder / f"{self._pid}.json"
        partial = path.with_suffix(".partial")
        with contextlib.suppress(OSError):
            partial.write_text(json.dumps(document), encoding="utf-8")
            partial.replace(path)


def _to_json(target: SeenTarget) -> dict[str, Any]:
    return {**asdict(target), "workloads": [asdict(workload) for workload in target.workloads.values()]}
