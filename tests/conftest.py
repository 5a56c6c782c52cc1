"""Fixtures that several areas share."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("calibrary", deadline=None)
settings.load_profile("calibrary")

REPO = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real frames, or a skip that says so."""
    folder = REPO.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real frames (../shared/data) are not on this machine")
    return folder


@pytest.fixture
def put_master() -> Callable[..., Path]:
    """Write a master: ``put_master(path, IMAGETYP="Master Dark", EXPTIME=120.0)``."""

    from calibrary.pixels.writing import write_master

    def one(path: Path, level: float = 500.0, **cards: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_master(
            path,
            np.full((8, 10), level, dtype=np.float32),
            height=8,
            channels=1,
            cards=[(key.replace("_", "-"), value, "") for key, value in cards.items()],
            output={"format": path.suffix[1:], "codec": "none", "checksum": "none"},
        )
        return path

    return one


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
