"""Lines that stand for code which was not written out: `# ... rest unchanged`."""

from __future__ import annotations

import re

_WORDS = r"(?:rest|remain\w*|existing|unchanged|same|previous|other|omitted|original|as before|elided)"
_ELIDED = re.compile(
    rf"""(?xi) \s* (?:
      (?: \.{{3}} | … ) \s* (?: \# .* )?                                          # alone
    | pass \s* \# .* \b{_WORDS}\b .*                                            # in the place of a body
    | (?: \# | // ) \s* (?: \.{{3,}} | … | \[\.{{3}}\] ) .*                          # leading a comment
    | (?: \# | // ) .* \b{_WORDS}\b .* (?: \.{{3,}} | … ) \s*                   # ending one
    | (?: \# | // ) \s* \(? (?: the\ )? (?: rest | remaining | other ) \b .*
        \b (?: unchanged | the\ same | as\ before ) [\s.!)]*
    | (?: \# | // ) \s* (?: existing | unchanged ) (?: \ code | \ lines? )? \s*
    )""",
)


def is_elided(line: str) -> bool:
    return _ELIDED.fullmatch(line) is not None


def split(text: str) -> list[str]:
    """What stands between such lines."""
    parts: list[list[str]] = [[]]
    for line in text.split("\n"):
        if is_elided(line):
            parts.append([])
        else:
            parts[-1].append(line)
    return ["\n".join(part) for part in parts]
