"""Fixtures that several areas share."""

from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("calibrary", deadline=None)
settings.load_profile("calibrary")

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real frames, or a skip that says so."""
    folder = REPO.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real frames (../shared/data) are not on this machine")
    return folder
