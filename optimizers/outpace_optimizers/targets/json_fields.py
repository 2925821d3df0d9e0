"""Reading foreign JSON: every error names the file (and line), the field, and what was expected."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from outpace_audit.errors import WorkloadError


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object with its place: `where` is file or file:line, `prefix` the dotted path to the object."""

    data: dict[str, Any]
    where: str
    prefix: str

    def error(self, field: str, message: str) -> WorkloadError:
        return WorkloadError(f"{self.where}: {self._path(field)}: {message}")

    def _path(self, field: str) -> str:
        return f"{self.prefix}.{field}" if self.prefix else field

    def child(self, field: str) -> Fields:
        if field not in self.data:
            raise self.error(field, "missing")
        value = self.data[field]
        if not isinstance(value, dict):
            raise self.error(field, "must be an object")
        return Fields(cast("dict[str, Any]", value), self.where, self._path(field))

    def text(self, field: str) -> str:
        value = self.optional_text(field)
        if value is None:
            raise self.error(field, "missing; must be a string")
        return value

    def optional_text(self, field: str) -> str | None:
        value = self.data.get(field)
        if value is not None and not isinstance(value, str):
            raise self.error(field, "must be a string")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value: Any = self.data.get(field)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(field, "must be a list of strings")
        return tuple(value)

    def flag(self, field: str, *, default: bool) -> bool:
        value = self.data.get(field, default)
        if not isinstance(value, bool):
            raise self.error(field, "must be true or false")
        return value

    def size(self, field: str) -> int:
        value = self.data.get(field)
        if type(value) is not int or value < 0:
            raise self.error(field, f"must be an integer >= 0, not {json.dumps(value)[:40]}")
        return value

    def unknown(self, known: Collection[str]) -> tuple[str, ...]:
        """A note per key that the format does not have: its own loader ignores them silently."""
        return tuple(
            f"{Path(self.where).name}: unknown key {self._path(key)} ignored" for key in self.data if key not in known
        )


def parse_object(text: str, where: str) -> dict[str, Any]:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WorkloadError(f"{where}: no valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise WorkloadError(f"{where}: must be a JSON object")
    return cast("dict[str, Any]", value)


def read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise WorkloadError(f"{file}: missing") from error
    except UnicodeDecodeError as error:
        raise WorkloadError(f"{file}: not UTF-8 ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise WorkloadError(f"{file}: cannot be read ({error.strerror or error})") from error


def read_json(file: Path) -> dict[str, Any]:
    return parse_object(read_text(file), str(file))
