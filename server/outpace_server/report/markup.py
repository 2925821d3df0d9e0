"""HTML and SVG as nested calls: every text is escaped, unless a call has made it."""

from __future__ import annotations

import html
from typing import TypeAlias

from outpace_server.output.words import printable

VOID = ("meta", "line", "rect", "circle", "path")


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child: TypeAlias = "str | list[Markup]"


def tag(name: str, /, *children: Child, **attributes: str | float) -> Markup:
    """An underscore ends attribute names that Python keeps for itself, and stands for a hyphen within others."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_number(value))}"' for key, value in attributes.items()
    )
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    parts = [part for child in children for part in (child if isinstance(child, list) else [child])]
    return Markup("".join(part if isinstance(part, Markup) else escaped(part) for part in parts))


def escaped(text: str) -> str:
    return html.escape(printable(text), quote=True)


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def table(caption: str, head: list[str], rows: list[list[Child]]) -> Markup:
    header = tag("tr", [tag("th", cell, scope="col") for cell in head])
    body = [tag("tr", [tag("td", cell) for cell in row]) for row in rows]
    inner = tag("table", tag("caption", caption), tag("thead", header), tag("tbody", body))
    return scroller(caption, inner)


def scroller(name: str, inner: Markup) -> Markup:
    """Scrolls by itself where the page is narrow, also by keyboard."""
    return tag("div", inner, class_="wide", tabindex="0", role="region", aria_label=name)
