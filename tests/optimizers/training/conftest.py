"""One project for all tests of a worker, so that the baseline's spread is measured once."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from training_maker import make_project


@pytest.fixture(scope="package", autouse=True)
def lease_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Nothing here is timed, so that nobody is waited for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        yield


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("training") / "project")
