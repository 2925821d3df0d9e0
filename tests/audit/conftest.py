"""Fixtures of the auditor's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hack_judges import Judges


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    judges = Judges(tmp_path_factory.mktemp("state") / ".outpace")
    yield judges
    judges.close()
