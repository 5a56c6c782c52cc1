"""A thin, even sample of a frame: cheap to read, fit for levels, noise and large-scale shape.

It consists of pairs of neighbouring rows and columns, so that all four places of a Bayer pattern
are in it, at the same places in every frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from calibrary.pixels.reading import FrameReader

SAMPLE_PIXELS = 65536
"""Samples kept of a frame, as far as it has so many: 1/16 of a megapixel, less of more."""
MIN_ROW_PAIRS = 16
"""Pairs of rows at least, so that the large-scale grid has two in every part."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read of one frame."""

    data: NDArray[np.float32]
    """(rows, columns) ADU; rows and columns come in pairs."""
    full_scale: float
    """ADU at which the sample type ends."""


def pair_positions(length: int, pairs: int) -> NDArray[np.intp]:
    """Return the positions of `pairs` evenly spread even-odd pairs out of `length`."""
    available = length // 2
    if available == 0:
        return np.zeros(1, np.intp)
    chosen = np.unique(np.linspace(0, available - 1, min(pairs, available)).round().astype(np.intp))
    return np.stack([2 * chosen, 2 * chosen + 1], axis=1).reshape(-1)


def sample_positions(
    rows: int, width: int, pixels: int = SAMPLE_PIXELS
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of a sample of about `pixels` pixels."""
    row_pairs = max(MIN_ROW_PAIRS, pixels // (2 * width))
    at_row = pair_positions(rows, row_pairs)
    at_column = pair_positions(width, max(MIN_ROW_PAIRS, pixels // (2 * at_row.size)))
    return at_row, at_column


def read_sample(path: Path) -> Sample:
    """Read the sample of one frame.

    Raises
    ------
    calibrary.formats.layout.PixelError
        The frame cannot be read; the text names it.
    """
    from calibrary.pixels.reading import open_frame

    with open_frame(path) as reader:
        return sample_of(reader)


def sample_of(reader: FrameReader) -> Sample:
    """Read the sample of a frame that is open.

    Raises
    ------
    calibrary.formats.layout.PixelError
        The frame cannot be read; the text names it.
    """
    from calibrary.formats.layout import ADU_FULL_SCALE
    from calibrary.pixels.reading import to_adu

    layout = reader.layout
    at_row, at_column = sample_positions(layout.rows, layout.width)
    stored = np.empty((at_row.size, at_column.size), layout.stored)
    row = np.empty((1, layout.width), layout.stored)
    for index, at in enumerate(at_row):
        reader.read_rows(int(at), int(at) + 1, row)
        stored[index] = row[0, at_column]
    data = np.empty(stored.shape, np.float32)
    to_adu(stored, layout, data)
    unit = ADU_FULL_SCALE if layout.normalised else 1.0
    return Sample(data, layout.full_scale * unit)
