"""CUDA texts that a target has compiled, changed kernel by kernel at their places in the Python file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from outpace_audit.records import Code, Patch
from outpace_optimizers.cuda.change import Change
from outpace_optimizers.cuda.parsing import CudaText, parsed

from .native_sites import Splices, sites, written


def proposals(code: Code, rule: Callable[[CudaText], Iterator[Change]]) -> Iterator[tuple[str, Patch]]:
    """Titles and patches; all changes of one text by one rule make one patch."""
    for site in sites(code):
        for native in site.texts("cuda"):
            splices = Splices(site.source)
            place = written(site, native, splices)
            if place is None:
                continue
            made = list(rule(parsed(place.text)))
            for edit in (edit for one in made for edit in one.edits):
                splices.replace(place.start + edit.start, place.start + edit.end, edit.text, place.span)
            patch = splices.patch(code)
            if patch is not None:
                yield "; ".join(one.title for one in made), patch
