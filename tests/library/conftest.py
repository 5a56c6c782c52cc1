"""Small masters as Calibrary and as others write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibrary.pixels.writing import write_master

Put = Callable[..., Path]


@pytest.fixture
def put() -> Put:
    """Write a master: ``put(path, IMAGETYP="Master Dark", EXPTIME=120.0)``."""

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
