"""extension-flags: C++ and CUDA that torch builds as the file runs is compiled with optimisation, for this machine.

`load_inline` and `load` hand g++ no `-O` at all, and nvcc none for what runs on the host. Nothing that changes the
mathematics is added: no -ffast-math, no --use_fast_math; `-march=native` brings fused multiply-adds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from outpace_audit.native_builds import SOURCES
from outpace_audit.records import Code, Idea, NumericsClass

from .native_sites import Site, Splices, set_flags, sites

_LEVEL = re.compile(r"-O([0-3sgz]|fast)?$")
_POOR = re.compile(r"-O[01g]?$|-O2$")
_MACHINE = re.compile(r"-m(arch|cpu|tune|avx|fma|sse)")
_PARALLEL = re.compile(r"#\s*pragma\s+omp\b|\bparallel_for\b|\bparallel_reduce\b")
_BODY = re.compile(r"\b(for|while)\b")
_ARCHITECTURE = re.compile(r"(?:--?[a-z-]+=)?(?:arch=)?(?:sm|compute)_(\d+)(a?)\b[\w,=\[\]]*")
_ALONE = ("-gencode", "--generate-code", "-arch", "--gpu-architecture")
_LAST = 90
"""sm_90, whose own instructions have to be asked for by sm_90a, and later ones are left as they are."""


class ExtensionFlags:
    id = "extension-flags"
    title = "Compile C++ and CUDA extensions with optimisation, for this machine"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/extension-flags.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for site in sites(code):
            splices = Splices(site.source)
            added = _set_host(site, splices) + _set_device(site, splices)
            patch = splices.patch(code)
            if patch is not None:
                yield Idea(
                    self.id,
                    f"compile {site.label} with {', '.join(dict.fromkeys(added))}",
                    "torch builds extensions without optimising what runs on the host, and for any machine of its kind",
                    self.claimed_class,
                    patch,
                )


def _set_host(site: Site, splices: Splices) -> list[str]:
    """What is new in the flags of the C++ compiler."""
    flags = _given(site, "extra_cflags")
    computes = not site.build.inline or any(_BODY.search(text.text) for text in site.texts("cpp"))
    if flags is None or not computes or _only_cuda(site):
        return []
    new = _optimised(flags)
    new += [] if any(_MACHINE.match(flag) for flag in flags) else ["-march=native"]
    parallel = any(_PARALLEL.search(text.text) for text in site.build.texts)
    new += ["-fopenmp"] if parallel and not any(flag.startswith("-fopenmp") for flag in flags) else []
    return _put(site, splices, "extra_cflags", flags, new)


def _set_device(site: Site, splices: Splices) -> list[str]:
    """The same of nvcc's. Without an architecture torch names the one of the GPU that is there."""
    flags = _given(site, "extra_cuda_cflags")
    if flags is None or not _has_cuda(site):
        return []
    kept = _without_architectures(flags)
    added = _put(site, splices, "extra_cuda_cflags", flags, _optimised(kept))
    return [*added, *(["the GPU's own architecture"] if kept != list(flags) else [])]


def _given(site: Site, argument: str) -> list[str] | None:
    flags = site.build.flags(argument)
    return None if flags is None else [str(flag.value) for flag in flags]


def _optimised(flags: Sequence[str]) -> list[str]:
    """With -O3 where there is no level, or a lower one."""
    if not any(_LEVEL.match(flag) for flag in flags):
        return [*flags, "-O3"]
    return ["-O3" if _POOR.match(flag) else flag for flag in flags]


def _put(site: Site, splices: Splices, argument: str, old: Sequence[str], new: Sequence[str]) -> list[str]:
    if list(old) != list(new):
        set_flags(site, splices, argument, new)
    return [flag for flag in new if flag not in old]


def _without_architectures(flags: Sequence[str]) -> list[str]:
    """As they are where one of them is no older than `_LAST`, or cannot be read."""
    kept: list[str] = []
    for flag in flags:
        named = _ARCHITECTURE.fullmatch(flag)
        if named is not None and (int(named[1]) >= _LAST or named[2]):
            return list(flags)
        if named is None and flag not in _ALONE:
            kept.append(flag)
    return kept


def _has_cuda(site: Site) -> bool:
    return bool(site.texts("cuda")) or any(name.endswith(".cu") for name in _files(site))


def _only_cuda(site: Site) -> bool:
    names = _files(site)
    return bool(names) and all(name.endswith(".cu") for name in names)


def _files(site: Site) -> list[str]:
    """Ends of the names of files, where they are spelled out."""
    node = site.build.arguments.get("sources")
    if node is None or set(SOURCES) & set(site.build.arguments):
        return []
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


RULE = ExtensionFlags()
