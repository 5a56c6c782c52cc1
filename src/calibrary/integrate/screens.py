"""Quick looks at many pixels at once, for those in which a method may reject something.

A pixel that a screen does not mark loses nothing by the method's definition; what a marked one
loses is for the method to say. Most pixels of most stacks are cleared, at a fraction of the cost.

Every screen takes:

``d``
    Sorted samples less the lower median of their pixel, ADU, float32, ``[frames, pixels]``. A
    small number of digits is enough: sums carry a relative error below `frames` * 2e-7.
``work``
    Room, float32, ``[WORK_ROWS, pixels]``.
``active``
    ``[pixels]``, receives the marks.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np
from numba import njit

from calibrary.integrate.rejections import WINSOR_CLAMP, WINSOR_CORRECTION

MARGIN = np.float32(0.999)
"""Single precision clears a pixel only this far from the limit."""
WORK_ROWS = 5
"""Rows of the room."""
_ROUNDING = np.float32(1e-6)
"""Error of a residual in single precision, for each sample, as a fraction of the range."""


@njit(error_model="numpy")
def _deviations(d, bottom, top, total, squares):
    """Replace `squares` by the standard deviations of the samples drawn in, less the margin."""
    n, size = d.shape
    total[:] = 0
    squares[:] = 0
    for f in range(n):
        x = d[f]
        for p in range(size):
            v = min(max(x[p], bottom[p]), top[p])
            total[p] += v
            squares[p] += v * v
    for p in range(size):
        variance = (squares[p] - total[p] * total[p] / np.float32(n)) / np.float32(n - 1)
        squares[p] = np.sqrt(max(variance, np.float32(0))) * MARGIN


@njit(error_model="numpy")
def sigma(d, low, high, work, active) -> None:
    """Mark the pixels with a sample beyond `low` or `high` standard deviations."""
    n, size = d.shape
    bottom, top, lower, upper = d[0], d[n - 1], d[(n - 1) // 2], d[n // 2]
    deviation = work[1]
    _deviations(d, bottom, top, work[0], deviation)
    for p in range(size):
        median = np.float32(0.5) * (lower[p] + upper[p])
        active[p] = (median - bottom[p] > low * deviation[p]) | (
            top[p] - median > high * deviation[p]
        )


@njit(error_model="numpy")
def siril_winsorized(d, low, high, integers, work, active) -> None:
    """Mark the pixels that Siril's winsorised clipping may touch.

    With c the spread at which the outermost sample would just be kept: the wider the limits, the
    larger the spread of the samples drawn in. If drawing in at c gives at least c, so does every
    round that begins at c or above, and the spread never gets below it.
    """
    n, size = d.shape
    bottom, top, lower, upper = d[0], d[n - 1], d[(n - 1) // 2], d[n // 2]
    critical, lowest, highest, total, deviation = work[0], work[1], work[2], work[3], work[4]
    one, half = np.float32(1), np.float32(0.5)
    clamp, margin = np.float32(WINSOR_CLAMP * (1.0 - 1e-5)), one / MARGIN
    _deviations(d, bottom, top, total, deviation)
    for p in range(size):
        median = half * (lower[p] + upper[p])
        c = max((median - bottom[p]) / low, (top[p] - median) / high) * margin
        # Not even the deviation from which Siril starts may be below.
        critical[p] = c if deviation[p] >= c else np.float32(np.inf)
        lowest[p], highest[p] = median - clamp * c, median + clamp * c
        if integers:
            lowest[p] = np.floor(lowest[p] + half)
            highest[p] = np.floor(highest[p] + half)
    _deviations(d, lowest, highest, total, deviation)
    for p in range(size):
        active[p] = not np.float32(WINSOR_CORRECTION) * deviation[p] >= critical[p]


@njit(error_model="numpy")
def siril_linear_fit(d, low, high, work, active) -> None:
    """Mark the pixels that Siril's linear fit clipping may touch: those of its first line."""
    n, size = d.shape
    slope, level, least, most, spread = work[0], work[1], work[2], work[3], work[4]
    one, middle = np.float32(1), np.float32(0.5 * (n - 1))
    slope[:] = 0
    level[:] = 0
    for f in range(n):
        x, place = d[f], np.float32(f) - middle
        for p in range(size):
            level[p] += x[p]
            slope[p] += place * x[p]
    for p in range(size):
        slope[p] *= np.float32(12.0 / (n * (n * n - 1.0)))
        level[p] *= np.float32(1.0 / n)
        least[p], most[p], spread[p] = 0, 0, 0
    for f in range(n):
        x, place = d[f], np.float32(f) - middle
        for p in range(size):
            residual = x[p] - (level[p] + slope[p] * place)
            spread[p] += abs(residual)
            least[p] = min(least[p], residual)
            most[p] = max(most[p], residual)
    bottom, top = d[0], d[n - 1]
    for p in range(size):
        mean = spread[p] * np.float32(1.0 / n) * MARGIN
        error = _ROUNDING * np.float32(n) * (top[p] - bottom[p])
        active[p] = (error * (one + low) - least[p] > low * mean) | (
            error * (one + high) + most[p] > high * mean
        )
