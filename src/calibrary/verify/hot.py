"""Pixels that stand out of their surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibrary.verify.statistics import Floats, clipped_stats

HOT_SIGMA = 10.0
"""WBPP's automatic cosmetic correction counts from here."""
LISTED = 1000
"""Places kept of the brightest hot pixels: enough to see a pattern."""
_LEAST_SIGMA = 0.1
"""The step of whole ADU, averaged over some frames, leaves no smaller spread, ADU."""
_NEIGHBOUR = 2
"""Distance of the next pixel of the same colour in a Bayer pattern."""
_BAND_ROWS = 256
_SAMPLE_BANDS = 32
_SAMPLE_ROWS = 8


@dataclass(frozen=True, slots=True)
class HotPixels:
    """How many there are, and where the brightest of them lie."""

    count: int
    sigma: float
    """Spread of the high-passed master, ADU."""
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: NDArray[np.float32]
    """Height above the surroundings, ADU."""


def find_hot_pixels(master: NDArray[np.float32]) -> HotPixels:
    """Count the pixels of a master that rise more than 10 sigma above their surroundings.

    The surroundings of a pixel are its four next neighbours of the same colour, of which the
    lowest and the highest do not count, so that two hot pixels side by side are both found.

    Parameters
    ----------
    master : ndarray (rows, width) float32
        ADU.
    """
    height = master.shape[0]
    starts = np.linspace(0, max(height - _SAMPLE_ROWS, 0), _SAMPLE_BANDS).astype(int)
    sample = [_high_pass(master, a, min(a + _SAMPLE_ROWS, height)) for a in np.unique(starts)]
    sigma = max(clipped_stats(np.concatenate(sample))[1], _LEAST_SIGMA)
    found = []
    for first in range(0, height, _BAND_ROWS):
        high = _high_pass(master, first, min(first + _BAND_ROWS, height))
        row, column = np.nonzero(high > HOT_SIGMA * sigma)
        found.append((row + first, column, high[row, column]))
    rows, columns, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
    brightest = np.argsort(-values, kind="stable")[:LISTED]
    return HotPixels(len(values), sigma, rows[brightest], columns[brightest], values[brightest])


def _high_pass(master: NDArray[np.float32], first: int, last: int) -> Floats:
    """Return rows `first` to `last` less the mean of the middle two of four neighbours."""
    height, width = master.shape
    index = np.arange(first, last)
    up = master[np.abs(index - _NEIGHBOUR)]
    down_index = index + _NEIGHBOUR
    down = master[np.where(down_index < height, down_index, 2 * (height - 1) - down_index)]
    rows = master[first:last]
    padded = np.pad(rows, ((0, 0), (_NEIGHBOUR, _NEIGHBOUR)), mode="reflect")
    left, right = padded[:, :width], padded[:, 2 * _NEIGHBOUR :]
    vertical_low, vertical_high = np.minimum(up, down), np.maximum(up, down)
    side_low, side_high = np.minimum(left, right), np.maximum(left, right)
    middle = np.maximum(vertical_low, side_low) + np.minimum(vertical_high, side_high)
    return rows - np.float32(0.5) * middle
