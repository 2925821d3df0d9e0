"""SOL-ExecBench's solution.json: an entry of that benchmark, checked as its own validators do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from outpace_audit.errors import SourceError
from outpace_optimizers.targets.definitions import read_definitions
from outpace_optimizers.targets.json_fields import Fields, read_json
from outpace_optimizers.targets.source_text import parse_source

PYTHON_SIDE = frozenset({"pytorch", "triton", "cute_dsl", "cutile", "cudnn_frontend"})
CPP_SIDE = frozenset({"cutlass", "cudnn", "cublas", "cuda_cpp"})
HARDWARE = frozenset({"B200", "LOCAL"})
KNOWN = frozenset({"name", "definition", "author", "description", "spec", "sources"})
KNOWN_SPEC = frozenset({
    "languages", "target_hardware", "entry_point", "destination_passing_style", "dependencies", "binding",
    "compile_options",
})  # fmt: skip
KNOWN_COMPILE = frozenset({"cflags", "cuda_cflags", "ld_flags"})


@dataclass(frozen=True, slots=True)
class Solution:
    """`files`: text by relative path. `destination_passing`: given the outputs after the inputs, to be filled."""

    name: str
    definition: str
    author: str
    languages: tuple[str, ...]
    entry_file: str
    entry_function: str
    destination_passing: bool
    files: dict[str, str]
    notes: tuple[str, ...]

    @property
    def module(self) -> str:
        """The entry file as Python imports it."""
        return ".".join(PurePosixPath(self.entry_file).with_suffix("").parts)


def read_solution(file: Path, definition: str) -> Solution:
    """Raises WorkloadError with the field that is wrong, or why this machine cannot judge it."""
    fields = Fields(read_json(file), str(file), "")
    spec = fields.child("spec")
    if fields.text("definition") != definition:
        raise fields.error("definition", f"{fields.text('definition')!r}, and the problem is {definition!r}")
    languages = _languages(spec)
    entry_file, entry_function = _entry_point(spec)
    files = _files(fields)
    notes = (*fields.unknown(KNOWN), *spec.unknown(KNOWN_SPEC), *_hardware_notes(spec))
    if "compile_options" in spec.data:
        notes += spec.child("compile_options").unknown(KNOWN_COMPILE)
    if entry_file not in files:
        raise spec.error("entry_point", f"sources have no file {entry_file!r}")
    _check_entry(spec, entry_file, entry_function, files[entry_file])
    return Solution(
        name=fields.text("name"),
        definition=definition,
        author=fields.text("author"),
        languages=languages,
        entry_file=entry_file,
        entry_function=entry_function,
        destination_passing=spec.flag("destination_passing_style", default=True),
        files=files,
        notes=notes,
    )


def _languages(spec: Fields) -> tuple[str, ...]:
    languages = spec.texts("languages")
    if not languages:
        raise spec.error("languages", "empty; name at least one")
    for language in languages:
        if language not in PYTHON_SIDE | CPP_SIDE:
            raise spec.error("languages", f"{language!r} is none of {', '.join(sorted(PYTHON_SIDE | CPP_SIDE))}")
    compiled = sorted(CPP_SIDE & set(languages))
    if compiled and PYTHON_SIDE & set(languages):
        raise spec.error("languages", "Python and C++ languages cannot be mixed")
    if compiled:
        raise spec.error("languages", f"{compiled[0]}: outpace builds no C++ and no CUDA; entries in Python are judged")
    return languages


def _entry_point(spec: Fields) -> tuple[str, str]:
    text = spec.text("entry_point")
    file, separator, function = text.partition("::")
    if not (separator and file and function.isidentifier()):
        raise spec.error("entry_point", f"{text!r} is not file::function")
    if not file.endswith(".py") or "." in file[:-3].replace("./", ""):
        raise spec.error("entry_point", f"{file!r} is no Python file that can be imported; name it like main.py")
    return file, function


def _files(fields: Fields) -> dict[str, str]:
    sources: Any = fields.data.get("sources")
    if not isinstance(sources, list) or not sources:
        raise fields.error("sources", "must be a list of {path, content}, with at least one")
    files: dict[str, str] = {}
    for i, source in enumerate(sources):
        if not isinstance(source, dict):
            raise fields.error(f"sources[{i}]", "must be an object")
        item = Fields(source, fields.where, f"sources[{i}]")
        path = PurePosixPath(item.text("path"))
        if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in str(path) or "\0" in str(path):
            raise item.error("path", f"{str(path)!r} must be relative, without ..")
        if str(path) in files:
            raise item.error("path", f"{str(path)!r} occurs twice")
        files[str(path)] = item.text("content")
    return files


def _check_entry(spec: Fields, file: str, function: str, text: str) -> None:
    try:
        defined = read_definitions(parse_source(text, file)).bound
    except SourceError as error:
        raise spec.error("entry_point", str(error)) from error
    if function not in defined:
        raise spec.error("entry_point", f"{file} defines no {function!r}")


def _hardware_notes(spec: Fields) -> tuple[str, ...]:
    hardware = spec.texts("target_hardware")
    if not hardware:
        raise spec.error("target_hardware", "empty; name at least one")
    strange = [name for name in hardware if name not in HARDWARE]
    if strange:
        raise spec.error("target_hardware", f"{strange[0]!r} is none of {', '.join(sorted(HARDWARE))}")
    return () if "LOCAL" in hardware else (f"written for {', '.join(hardware)}",)
