"""A small source folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from headerfiles import fits_bytes, xisf_bytes


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a frame below the source folder; cards of any number of lines."""

    def write(name: str, cards: str = "IMAGETYP = 'Dark'", pixels: bytes | None = None) -> Path:
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        make = xisf_bytes if name.endswith(".xisf") else fits_bytes
        path.write_bytes(make(cards, data=pixels))
        return path

    return write
