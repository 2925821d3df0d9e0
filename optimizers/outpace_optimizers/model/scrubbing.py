"""Secrets in a text, taken out before it leaves the machine. More is taken than need be: code stays readable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

REMOVED = "<removed>"
"""Stands where a secret was; an edit that contains it is refused."""

_NAMES = (
    r"(?:api|access|secret|private|auth|encryption|signing)[_-]?key|token|secret|passw(?:or)?d|passwd|pwd|credentials?"
)
_ASSIGNED = re.compile(
    rf"""(?ix) \b ([\w.\[\]"'-]* (?:{_NAMES}) [\w"'\]]* \s* (?::\s*\w+\s*)? (?:=|:|,) \s* [rbuf]{{0,2}})
    (["']) (?:(?!\2)[^\n\\]|\\.){{6,}} \2"""
)
"""`api_key="..."`, `{"password": "..."}`, `setdefault("TOKEN", "...")`: the value, at least six characters long."""
_SHAPES = re.compile(
    r"""(?x)
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY(?:\ BLOCK)?-----[\s\S]*?(?:-----END\ [A-Z ]*PRIVATE\ KEY(?:\ BLOCK)?-----|\Z)
    | \b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}                       # OpenAI, Anthropic, OpenRouter
    | \b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}           # Stripe
    | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_\w{20,}     # GitHub
    | \bglpat-[\w-]{16,}                                      # GitLab
    | \bhf_[A-Za-z0-9]{20,}                                   # Hugging Face
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,}                        # Slack
    | \bAIza[\w-]{30,} | \bya29\.[\w-]{20,}                   # Google
    | \b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b                 # AWS
    | \b(?:npm_|pypi-|dop_v1_|nvapi-|gsk_|r8_|wandb_v1_)[\w-]{20,}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                       # JSON web tokens
    | (?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}
    """
)
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@:'\"]*:[^\s/@'\"]+@", re.IGNORECASE)
"""user:password@ of a URL."""
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_VALUE_CHARACTERS = 8
"""Of an environment variable's value that is looked for: shorter ones occur by chance."""


def scrubbed(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Without keys, tokens, passwords, private keys, credentials in URLs, and values of this environment's secrets."""
    values = os.environ if environ is None else environ
    for name, value in values.items():
        if _SECRET_VARIABLE.search(name) and len(value) >= _VALUE_CHARACTERS:
            text = text.replace(value, REMOVED)
    text = _SHAPES.sub(REMOVED, text)
    text = _ADDRESS.sub(rf"\1{REMOVED}@", text)
    return _ASSIGNED.sub(rf"\1\2{REMOVED}\2", text)
