"""What a model thought aloud before it answered, taken off its answer."""

from __future__ import annotations

_OPENERS = (
    "<think>", "<thinking>", "<reasoning>", "<thought>", "<seed:think>", "[THINK]", "◁think▷", "<|START_THINKING|>",
    "<|channel|>analysis",
)  # fmt: skip
_CLOSERS = (
    "</think>", "</thinking>", "</reasoning>", "</thought>", "</seed:think>", "[/THINK]", "◁/think▷",
    "<|END_THINKING|>", "<|channel|>final<|message|>",
)  # fmt: skip
"""Of DeepSeek, Qwen, Mistral, Kimi, Seed, Cohere and gpt-oss, where the server does not set it apart. Templates that
open it in the question leave the closing one alone."""


def without_reasoning(text: str) -> str | None:
    """What follows it; None where it never ended."""
    end = max((place + len(one) for one in _CLOSERS if (place := text.rfind(one)) >= 0), default=-1)
    if end >= 0:
        return text[end:]
    return None if text.lstrip().startswith(_OPENERS) else text
