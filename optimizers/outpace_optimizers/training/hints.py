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
    (
        (r"No CUDA GPUs are available|no NVIDIA driver|not compiled with CUDA|CUDA is not available|"
        r"invalid device ordinal|"
        r"only supported with GPUs|no CUDA-capable device|torch\.cuda\.is_available\(\) is False"),
        "it asks for a GPU, or one of several, that is not there: name the device, or fewer processes, in command",
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


_ERROR = re.compile(r"(?:\[rank\d+\]:\s*)?((?:[\w.]+\.)?\w*(?:Error|Exception)\b.*)")
_LAUNCHER = "ChildFailedError"
"""torchrun's, which speaks last of all when one of its processes has failed, and does not say why."""


def last_line(text: str) -> str:
    """The last that says something; what a process said, where its launcher says only that it failed."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)]
    if any(_LAUNCHER in line for line in lines):
        errors = [found[1] for line in lines if _LAUNCHER not in line and (found := _ERROR.match(line))]
        lines = errors or lines
    return lines[-1] if lines else ""


def hint(last: str) -> str:
    return next((f"; {todo}" for pattern, todo in HINTS if re.search(pattern, last)), "")
