"""How the samples of a frame are stored, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibrary.records import CalibraryError

ADU_FULL_SCALE = 65535.0
"""ADU that a normalised sample of 1.0 stands for: PixInsight's and Siril's rule, whatever the
camera's own bit depth."""

_FULL_SCALE = {
    "int8": 127.0,
    "uint8": 255.0,
    "int16": 32767.0,
    "uint16": ADU_FULL_SCALE,
    "int32": 2.0**31 - 1,
    "uint32": 2.0**32 - 1,
}


class PixelError(CalibraryError):
    """The pixels of one file cannot be read; the other files of its group are not concerned."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Geometry and sample type of a frame; physical value = stored × `scale` + `zero`."""

    path: Path
    width: int
    """Columns."""
    height: int
    """Rows of one channel."""
    channels: int
    stored: np.dtype[np.generic]
    """Type of the samples as `FrameReader.read_rows` delivers them, byte order included."""
    zero: float
    scale: float
    sample_format: str
    """The physical type: ``int8 uint8 int16 uint16 int32 uint32 float32 float64``."""
    normalised: bool
    """Physical values are floats in [0, 1]; times 65535 they are ADU."""
    blank: float | None = None
    """The stored value of a pixel without a sample: BLANK of FITS integers, 0 in our own masters
    with MISSPIX; ``None`` where every stored value is a sample."""

    @property
    def rows(self) -> int:
        """Rows of all channels together; those of one channel follow each other."""
        return self.height * self.channels

    @property
    def row_bytes(self) -> int:
        """Bytes of one stored row."""
        return self.width * self.stored.itemsize

    @property
    def full_scale(self) -> float:
        """The largest physical value: 1.0 when normalised, 65535 for floats in ADU."""
        if self.normalised:
            return 1.0
        return _FULL_SCALE.get(self.sample_format, ADU_FULL_SCALE)
