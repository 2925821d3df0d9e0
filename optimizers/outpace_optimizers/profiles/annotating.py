"""Makes annotations of a profile: an editor's numbers, and for each suggestion a place in the code.

Run as a process of its own, because a trace, and the profile that is read from it, take memory:
`python -m outpace_optimizers.profiles.annotating` takes a request on stdin and answers on stdout, in JSON both.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_audit.codec import plain
from outpace_audit.errors import OutpaceError
from outpace_optimizers.profile_rules.registry import Suggestion, load_profile_rules, suggestions
from outpace_optimizers.profiles.annotations import Advice, Annotations, Limit, Mark
from outpace_optimizers.profiles.code_names import Span, called, spans_in
from outpace_optimizers.profiles.distances import Distance, distances, machine_of
from outpace_optimizers.profiles.names import RUN, TRACE
from outpace_optimizers.profiles.ranking import WORTH, best_gain
from outpace_optimizers.profiles.reading import AsProfiled, read
from outpace_optimizers.profiles.records import Profile, Target
from outpace_optimizers.profiles.store import Place, keep_profile, stored_profile, stored_run
from outpace_optimizers.roofline.records import Roofline
from outpace_optimizers.roofline.store import known
from outpace_optimizers.source import tree_of
from outpace_optimizers.workspace import Workspace

MOST_MARKS = 500
"""Functions of one profile, the largest first."""
MOST_OPERATORS = 4


def annotations_of(
    profile: Profile, root: Path, name: str, recorded_at: float, rooflines: Iterable[Roofline] = ()
) -> Annotations:
    found = suggestions(profile)
    limits = distances(profile, rooflines).by_target
    pages = {rule.id: rule.page for rule in load_profile_rules()[0]}
    machine = machine_of(profile)
    functions = sorted((one for one in profile.targets if one.path), key=profile.at_stake, reverse=True)
    return Annotations(
        name=name,
        trace=profile.trace,
        command=str(profile.run.get("command", "")),
        recorded_at=recorded_at,
        device=machine.name if machine else "",
        steps=profile.steps,
        step_s=profile.step_s,
        plain_step_s=profile.plain_step_s,
        marks=tuple(_mark(profile, one, limits.get(one.key)) for one in functions[:MOST_MARKS]),
        advice=tuple(_placed(profile, root, found.suggestions, pages)),
        troubles=tuple(f"rule {trouble.rule} failed: {trouble.message}" for trouble in found.troubles),
        machine=machine,
    )


def _mark(profile: Profile, target: Target, distance: Distance | None) -> Mark:
    share = profile.share(profile.at_stake(target))
    gain = best_gain(share, distance.speedup if distance else math.inf)
    return Mark(
        path=str(target.path),
        name=target.name,
        digest=target.digest,
        share=share,
        seconds=target.seconds,
        backward_s=target.backward_s,
        own_s=target.own_s,
        calls=target.calls,
        gain=_finite(gain),
        around=target.around,
        worth_it=gain >= WORTH,
        operators=tuple((one.name, profile.share(one.seconds)) for one in target.operators[:MOST_OPERATORS]),
        limit=Limit(distance.bound, distance.speedup) if distance else None,
    )


def _finite(gain: float) -> float | None:
    return gain if math.isfinite(gain) else None


# --- where a suggestion is shown ------------------------------------------------------------------------------------


def _placed(profile: Profile, root: Path, given: Iterable[Suggestion], pages: Mapping[str, str]) -> Iterator[Advice]:
    files = list(_files(profile, AsProfiled(Path(profile.trace), root, profile.run)))
    for one in given:
        if (place := _place(profile, one, files)) is not None:
            gain = _finite(best_gain(min(profile.share(one.seconds), 1.0)))
            page = pages.get(one.rule, "")
            yield Advice(one.rule, one.title, one.evidence, one.advice, gain, one.numerics, page, *place, one.edit)


def _place(profile: Profile, given: Suggestion, files: Sequence[_File]) -> tuple[str, str, str, str] | None:
    """(path, function, its digest, call): a call that it is about, the function that it names, or what runs the steps.
    None where none is left as it was profiled: who has followed it must not read it again."""
    fresh = {(one.path, one.name): one.digest for one in profile.targets if one.path and one.digest}
    changed = False
    for name in given.calls:
        for file in files:
            for line in _calls(file.tree, name):
                span = _holding(file.spans, line)
                if file.holds or fresh.get((file.path, span.name)) == span.digest:
                    return file.path, span.name, span.digest, name
                changed = True
    known = [one for one in profile.targets if one.path and one.digest]
    places = [*(one for one in known if one.name == given.where), *(one for one in reversed(known) if one.around)]
    return None if changed or not places else (str(places[0].path), places[0].name, str(places[0].digest), "")


@dataclass(frozen=True, slots=True)
class _File:
    """`holds`: it is still what ran."""

    path: str
    spans: tuple[Span, ...]
    tree: ast.Module
    holds: bool


def _files(profile: Profile, profiled: AsProfiled) -> Iterator[_File]:
    """The script, then the others by what they take."""
    paths = [one.path for one in profile.targets if one.path]
    main = profile.run.get("main")
    for path in dict.fromkeys((*(one for one in paths if one == main), *paths)):
        with contextlib.suppress(OSError, SyntaxError, ValueError, RecursionError):
            text = Path(path).read_bytes().decode("utf-8", "replace")
            yield _File(path, spans_in(text), tree_of(text), profiled.holds(path))


def _calls(tree: ast.Module, name: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) == name:
            yield node.lineno


def _holding(spans: tuple[Span, ...], line: int) -> Span:
    """The innermost function, or the file's top level."""
    return max((s for s in spans if s.digest and s.first <= line <= s.last), key=lambda span: span.first)


# --- the child process ----------------------------------------------------------------------------------------------


def profile_of(request: Mapping[str, Any], *, by_kind: bool = True) -> Profile:
    """`file` is a profile's run, then `recorded` is true, or a trace that somebody else has recorded.

    Raises TraceError.
    """
    file, root = Path(request["file"]), Path(request["root"])
    if not request["recorded"]:
        return read(file, root, {}, by_kind=by_kind)
    place = Place(file.parent, file.name.removesuffix(RUN))
    profile = stored_profile(place)
    if profile is None:
        profile = read(place.file(TRACE), root, stored_run(place))
        keep_profile(place, profile)
    return profile


def answer_with(made: Callable[[Mapping[str, Any]], Any]) -> None:
    """The request on stdin to what is `made` of it on stdout, or to `{"error"}`: all that this process does."""
    gc.disable()  # nothing that is read goes before the process does, and to look for it takes half of the time
    request = json.loads(sys.stdin.read())
    try:
        with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints is no answer
            answer: dict[str, Any] = plain(made(request))
    except OutpaceError as error:
        answer = {"error": str(error)}
    except OSError as error:
        answer = {"error": f"{request['file']}: {error.strerror}"}
    except MemoryError:
        answer = {"error": f"{request['file']}: not enough memory to read it; record fewer steps"}
    sys.stdout.write(json.dumps(answer, allow_nan=False))


def _annotated(request: Mapping[str, Any]) -> Annotations:
    file, root = Path(request["file"]), Path(request["root"])
    profile = profile_of(request, by_kind=False)
    rooflines = known(Workspace(root).state)
    return annotations_of(profile, root, file.name.removesuffix(RUN), file.stat().st_mtime, rooflines)


if __name__ == "__main__":
    answer_with(_annotated)
