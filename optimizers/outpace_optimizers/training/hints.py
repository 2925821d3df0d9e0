"""What to do about a script that ended badly, by the last line that it printed."""

from __future__ import annotations

import re

HINTS = (
    (
        r"arguments? (is|are) required|Missing (argument|option|mandatory value)|list index out of range",
        "put the arguments into command",
    ),
    (
        r"unrecognized arguments|[Nn]o such option|unknown (flag|option)",
        "name in seed and budget what the script takes, or { environment = ... }",
    ),
    (
        r"Read-only file system|No space left|Permission denied",
        "a run may write to its own project's tree and to /tmp, nowhere else",
    ),
    (r"No module named", "name the interpreter that has it with --python"),
    (
        r"name resolution|Network is unreachable|Max retries exceeded|getaddrinfo|ConnectionError",
        "a run has no network: download beforehand what it needs, and switch trackers to offline",
    ),
    (r"EOFError|wandb\.login|no-tty", "nobody answers a run's questions: give the answers by command or environment"),
    (r"No such file or directory", "paths start at the project's root, and a run's /tmp and home are empty"),
)  # fmt: skip
"""Patterns of a last line, and what to do."""
NOT_A_NUMBER = re.compile(r"\b(nan|inf|infinite|non-?finite|diverged|OverflowError)\b", re.IGNORECASE)


def hint(last: str) -> str:
    return next((f"; {todo}" for pattern, todo in HINTS if re.search(pattern, last)), "")
