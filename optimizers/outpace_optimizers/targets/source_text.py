"""Reading and writing a Python source without changing a byte that nobody edited."""

from __future__ import annotations

import ast
import codecs
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path

from outpace_audit.errors import SourceError
from outpace_optimizers import notebook
from outpace_optimizers.source import tree_of


@dataclass(frozen=True, slots=True)
class SourceText:
    """A decoded file. `text` keeps its line endings and has no byte-order mark."""

    text: str
    encoding: str
    has_bom: bool

    def encode_edit(self, new_text: str) -> bytes:
        """`new_text` as bytes in this file's encoding, with its byte-order mark; lines end as they do in `new_text`."""
        data = new_text.encode(self.encoding)
        return codecs.BOM_UTF8 + data if self.has_bom else data


def decode_source(data: bytes, where: str) -> SourceText:
    """Decode by PEP 263 (byte-order mark, coding cookie, else UTF-8)."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        has_bom = encoding == "utf-8-sig"
        encoding = "utf-8" if has_bom else encoding
        text = data[len(codecs.BOM_UTF8) :].decode(encoding) if has_bom else data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise SourceError(f"{where}: cannot be decoded ({error}); save it as UTF-8") from error
    return SourceText(text, encoding, has_bom)


def read_source(path: Path) -> SourceText:
    """Of a Python file, or a notebook's cells as one module."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error})") from error
    if path.suffix == notebook.SUFFIX:
        return SourceText(notebook.notebook_source(data, str(path)), "utf-8", has_bom=False)
    return decode_source(data, str(path))


def parse_source(text: str, where: str) -> ast.Module:
    """The syntax tree, or a one-line SourceError `file:line: message`."""
    try:
        return tree_of(text)
    except SyntaxError as error:
        raise SourceError(f"{where}:{error.lineno or 1}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"{where}:1: does not parse ({error or 'too deeply nested'})") from error
