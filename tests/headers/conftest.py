"""Write a header, read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from calibrary.headers.reading import Reading, read_header

Read = Callable[..., Reading]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function that writes bytes under a name below a source folder and reads them."""

    def write_and_read(
        content: bytes, name: str = "frame_0001.fits", extras: dict[str, object] | None = None
    ) -> Reading:
        root = tmp_path / "source"
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return read_header(path, extras, root)

    return write_and_read
