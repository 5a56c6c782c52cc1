"""What the methods that look at many pixels at once, to the end, have in common.

All that is known of a pixel stands in one array, each kind at a place of its own for so many
pixels. The distances between the kinds are constants, by which the compiler sees that none
overlaps another: only so does it work on many pixels with one instruction.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

AT_ONCE: Final = 128
"""Pixels that are worked on at a time."""
_STEP: Final = 16
"""They are counted in these: some idle ones cost less than a rest that is done one by one."""
SAMPLES: Final = 24 * AT_ONCE
"""Where the samples begin, one kind for each; before them is room for so many other kinds."""


@njit
def padded(count: int) -> int:
    """Return the number of pixels to work on, idle ones included, for so many."""
    return -(-count // _STEP) * _STEP


def rooms(n: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return room for `n` frames, and one to sort as many numbers of each pixel.

    They are two arrays, so that the compiler sees that nothing overlaps.
    """
    return np.empty(SAMPLES + n * AT_ONCE, np.float32), np.empty((n + 1) * AT_ONCE, np.float32)
