"""Does something right after a module has been imported, and nothing before."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import types
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec


def after_import(name: str, then: Callable[[], None]) -> None:
    """What `then` raises is lost: the import is the script's."""
    sys.meta_path.insert(0, _Finder(name, then))  # pyright: ignore[reportArgumentType]


class _Finder:
    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)  # pyright: ignore[reportArgumentType]
        spec = importlib.util.find_spec(fullname)
        loader = spec.loader if spec is not None else None
        if loader is not None:
            execute = loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                execute(module)
                del loader.exec_module
                with contextlib.suppress(Exception):
                    self._then()

            loader.exec_module = exec_module
        return spec
