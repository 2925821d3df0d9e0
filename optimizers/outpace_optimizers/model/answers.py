"""From what a model wrote to an idea that may be tried. Nothing is run here, and no file is written."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import lru_cache

from outpace_audit.records import Idea, Patch
from outpace_optimizers.model.client import Answer
from outpace_optimizers.model.code_blocks import is_native
from outpace_optimizers.model.editing import edited, patch_of
from outpace_optimizers.model.imports import with_usual_imports
from outpace_optimizers.model.native import with_text
from outpace_optimizers.model.normalised import fingerprint
from outpace_optimizers.model.reply import Draft, ReplyError, read_reply
from outpace_optimizers.model.rewriting import rewritten
from outpace_optimizers.records import MODEL_RULE, Trial
from outpace_optimizers.source import Source, parse


def idea_of(
    answer: Answer, source: Source, symbol: str, model: str, tried: Sequence[Trial], base: str | None = None
) -> Idea:
    """The one change that `answer` proposes to `symbol`. `base`: the text that it was to build on; edits that do not
    fit it are of the original. A patch of the original either way. Raises ReplyError, with one reason."""
    draft = read_reply(answer.text, cut=answer.cut, missing=answer.missing, known=base or source.text)
    text = with_usual_imports(source, _edited(source, symbol, draft, base))
    patch = patch_of(source, symbol, text)
    _refuse_known(patch, source, tried)
    return _tagged(draft, patch, model)


def _edited(source: Source, symbol: str, draft: Draft, base: str | None) -> str:
    if base is not None:
        with contextlib.suppress(ReplyError):
            return _written(parse(source.path, base), symbol, draft)
    return _written(source, symbol, draft)


def _written(source: Source, symbol: str, draft: Draft) -> str:
    if not draft.code:
        return edited(source, draft.edits, symbol)
    return (with_text if is_native(draft.code) else rewritten)(source, symbol, draft.code)


def _refuse_known(patch: Patch, source: Source, tried: Sequence[Trial]) -> None:
    """Before anything is compiled or run for it."""
    wanted = _fingerprint(patch.new_source)
    if wanted == _fingerprint(source.text):
        raise ReplyError("the edits change nothing that runs")
    for trial in tried:
        if trial.idea.patch.new_source == patch.new_source:
            raise ReplyError(f"that was tried before: {trial.idea.title}")
        if _fingerprint(trial.idea.patch.new_source) == wanted:
            raise ReplyError(f"that is the same change as one that was tried: {trial.idea.title}")


def _tagged(draft: Draft, patch: Patch, model: str) -> Idea:
    title = f"{draft.title} (by {model})"
    return Idea(
        MODEL_RULE, title, draft.rationale or "the model gave no reason", draft.claimed_class, patch, f"model {model}"
    )


_fingerprint = lru_cache(maxsize=256)(fingerprint)
"""Every answer is compared with all that was tried."""
