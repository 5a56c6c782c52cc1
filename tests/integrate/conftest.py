"""Frames to integrate, without camera or file format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits


@pytest.fixture
def write_frames(tmp_path):
    """Write the planes of an array as FITS frames; return their paths."""

    def write(stack, name="frame", **cards) -> list[Path]:
        paths = []
        for k, plane in enumerate(stack):
            path = tmp_path / f"{name}{k:03d}.fits"
            hdu = fits.PrimaryHDU(np.asarray(plane))
            hdu.header.update(cards)
            hdu.writeto(path)
            paths.append(path)
        return paths

    return write
