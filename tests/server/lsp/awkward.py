"""Texts that are awkward to count columns and lines in, and what a measured change makes of them."""

from __future__ import annotations

from planted import SOURCE

ROCKETS = ("return y * 2", "return y * 2  # 🚀é🚀"), ("def work(x):", "def work(x):  # 🚀é")
BODY = "    y = x + 1\n    return y * 2\n"
LAST = SOURCE.replace(BODY, "").replace("def work(x):\n", "").strip("\n") + "\n\n\ndef work(x):\n" + BODY


def with_rockets(text: str) -> str:
    for plain, flown in ROCKETS:
        text = text.replace(plain, flown)
    return text


def faster(text: str) -> str:
    """The two lines become one, which keeps the comment of the second."""
    return (
        text.replace("    y = x + 1\r\n", "").replace("    y = x + 1\n", "").replace("return y *", "return (x + 1) *")
    )


TEXTS = {
    "CRLF": SOURCE.replace("\n", "\r\n"),
    "surrogate pairs": with_rockets(SOURCE),
    "no newline at the end": LAST.rstrip("\n"),
    "surrogate pairs and no newline": with_rockets(LAST).rstrip("\n"),
    "CRLF, surrogate pairs and no newline": with_rockets(LAST).replace("\n", "\r\n").rstrip("\r\n"),
    "form feed and line separator": "# \u2028\f\n" + SOURCE,
    "byte-order mark": SOURCE,
}
