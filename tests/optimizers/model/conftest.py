from __future__ import annotations

from collections.abc import Generator

import pytest

from outpace_optimizers.model.client import ModelProcess


@pytest.fixture(scope="session")
def process() -> Generator[ModelProcess]:
    """One for all tests that leave it alive: importing the library takes seconds."""
    with pytest.MonkeyPatch.context() as patch, ModelProcess() as kept:
        patch.setenv("OPENAI_API_KEY", "sk-none")
        kept.price("openai/gpt-4o")
        yield kept
