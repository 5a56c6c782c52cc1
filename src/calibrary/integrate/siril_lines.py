"""Siril's linear fit clipping, for many pixels at once.

Like the screens, in single precision, but it goes on to the end: of pixels in which samples are
rejected it tells which. Where a sample is so near to a limit that more digits are needed, or
samples between kept ones are rejected, the pixel is left to `siril.linear_fit`, which also says
what the lines are.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from calibrary.integrate.lanes import AT_ONCE, SAMPLES, padded
from calibrary.integrate.siril import FEWEST

# Kinds of what is known of a pixel, see `lanes`.
_LEFT: Final = 0 * AT_ONCE
"""How many samples are left."""
_RANK: Final = 1 * AT_ONCE
"""How many of them were passed already."""
_START: Final = 2 * AT_ONCE
_SLOPE: Final = 3 * AT_ONCE
"""The line: its value at the rank 0, ADU, and its slope; before that, sums."""
_SIZE: Final = 4 * AT_ONCE
_SPREAD: Final = 5 * AT_ONCE
"""Sums of the samples left and of their residuals, regardless of sign, ADU."""
_WITHIN_LOW: Final = 6 * AT_ONCE
_BEYOND_LOW: Final = 7 * AT_ONCE
_WITHIN_HIGH: Final = 8 * AT_ONCE
_BEYOND_HIGH: Final = 9 * AT_ONCE
"""Distances from the line up to which a sample is surely kept, and from which it surely is not."""
_LOW: Final = 10 * AT_ONCE
_LAST_LOW: Final = 11 * AT_ONCE
_HIGH: Final = 12 * AT_ONCE
_FIRST_HIGH: Final = 13 * AT_ONCE
"""How many samples are rejected, and the innermost of them."""
_DOUBT: Final = 14 * AT_ONCE
"""How many are neither surely kept nor surely rejected, or rejected on the side of the others."""

_SUM_ERROR = np.float32(1.2e-7)
"""Relative error of a sum in single precision, for each term: twice what it can be."""
_ERROR = np.float32(6e-7)
"""Error of a residual, as a fraction of the sum of the samples regardless of sign. Of that sum the
mean is off by up to 0.6e-7, the slope times half the ranks by three times as much, and the
residual by as much as it takes three operations on numbers that are no larger."""


@njit
def linear_fit(d, low, high, places, lanes, active, first, end) -> None:
    """Find the ranges that Siril's linear fit clipping keeps of the pixels that are marked.

    Parameters
    ----------
    d
        As of the screens.
    low, high
        Limits, in mean absolute residuals.
    places
        Room, int32, ``[pixels]``.
    lanes
        Room, float32; see `lanes.rooms`. The samples are in the order of their rank; those that
        were rejected are infinite.
    active
        Marks the pixels; the mark is taken from those whose range is found.
    first, end
        The ranges, ``[pixels]``.
    """
    n, todo = d.shape[0], 0
    moves = np.empty(AT_ONCE, np.int32)
    for p in range(len(active)):
        places[todo] = p
        todo += int(active[p])
    for start in range(0, todo, AT_ONCE):
        some = places[start : min(start + AT_ONCE, todo)]
        _gather(d, some, lanes)
        while len(some) > 0:
            size = padded(len(some))
            _fit(n, size, lanes)
            _measure(n, size, low, high, lanes)
            _reject(n, size, lanes)
            some = _go_on(n, some, moves, lanes, active, first, end)


@njit
def _gather(d, places, lanes):
    """Copy the samples of some pixels."""
    for f in range(d.shape[0]):
        x, row = d[f], SAMPLES + f * AT_ONCE
        for q in range(len(places)):
            lanes[row + q] = x[places[q]]
    for q in range(len(places)):
        lanes[_LEFT + q], lanes[_LOW + q], lanes[_HIGH + q] = d.shape[0], 0, 0
        lanes[_LAST_LOW + q], lanes[_FIRST_HIGH + q] = -1, d.shape[0]


@njit(error_model="numpy")
def _fit(n, size, lanes):
    """Fit Siril's line to the samples left of each pixel."""
    zero, one, half = np.float32(0), np.float32(1), np.float32(0.5)
    for q in range(size):
        lanes[_START + q], lanes[_SLOPE + q], lanes[_SIZE + q] = zero, zero, zero
        lanes[_RANK + q] = zero
    for f in range(n):
        row = SAMPLES + f * AT_ONCE
        for q in range(size):
            left, rank = lanes[row + q] < np.inf, lanes[_RANK + q]
            v = lanes[row + q] if left else zero
            lanes[_START + q] += v
            lanes[_SLOPE + q] += (rank - half * (lanes[_LEFT + q] - one)) * v
            lanes[_SIZE + q] += abs(v)
            lanes[_RANK + q] = rank + one if left else rank
    steepness, middle = np.float32(12.0 / (float(n) * n - 1.0)), np.float32(0.5 * (n - 1))
    for q in range(size):
        slope = lanes[_SLOPE + q] * steepness / lanes[_LEFT + q]
        lanes[_SLOPE + q] = slope
        lanes[_START + q] = lanes[_START + q] / lanes[_LEFT + q] - slope * middle


@njit(error_model="numpy")
def _measure(n, size, low, high, lanes):
    """Measure the mean absolute residual of each pixel, and set the limits by it."""
    zero, one = np.float32(0), np.float32(1)
    for q in range(size):
        lanes[_SPREAD + q], lanes[_RANK + q] = zero, zero
    for f in range(n):
        row = SAMPLES + f * AT_ONCE
        for q in range(size):
            left, rank = lanes[row + q] < np.inf, lanes[_RANK + q]
            residual = lanes[row + q] - (lanes[_START + q] + lanes[_SLOPE + q] * rank)
            lanes[_SPREAD + q] += abs(residual) if left else zero
            lanes[_RANK + q] = rank + one if left else rank
    for q in range(size):
        spread = lanes[_SPREAD + q] / lanes[_LEFT + q]
        error, part = _ERROR * lanes[_SIZE + q], np.float32(n) * _SUM_ERROR * spread
        lanes[_WITHIN_LOW + q] = low * (spread - part - error) - error
        lanes[_BEYOND_LOW + q] = low * (spread + part + error) + error
        lanes[_WITHIN_HIGH + q] = high * (spread - part - error) - error
        lanes[_BEYOND_HIGH + q] = high * (spread + part + error) + error


@njit(error_model="numpy")
def _reject(n, size, lanes):
    """Reject the samples of each pixel that are beyond its limits."""
    zero, one, half, gone = np.float32(0), np.float32(1), np.float32(0.5), np.float32(np.inf)
    for q in range(size):
        lanes[_DOUBT + q], lanes[_RANK + q] = zero, zero
    for f in range(n):
        row, place = SAMPLES + f * AT_ONCE, np.float32(f)
        for q in range(size):
            left, rank = lanes[row + q] < gone, lanes[_RANK + q]
            residual = lanes[row + q] - (lanes[_START + q] + lanes[_SLOPE + q] * rank)
            lower = rank < half * lanes[_LEFT + q]
            below = left & (residual < -lanes[_BEYOND_LOW + q])
            above = left & (residual > lanes[_BEYOND_HIGH + q])
            kept = (residual >= -lanes[_WITHIN_LOW + q]) & (residual <= lanes[_WITHIN_HIGH + q])
            known = ~left | kept | (below & lower) | (above & ~lower)
            lanes[_DOUBT + q] += zero if known else one
            lanes[_LOW + q] += one if below else zero
            lanes[_HIGH + q] += one if above else zero
            lanes[_LAST_LOW + q] = max(lanes[_LAST_LOW + q], place if below else -one)
            lanes[_FIRST_HIGH + q] = min(lanes[_FIRST_HIGH + q], place if above else gone)
            lanes[_RANK + q] = rank + one if left else rank
            lanes[row + q] = gone if below | above else lanes[row + q]


@njit
def _go_on(n, places, moves, lanes, active, first, end):
    """Note the ranges of pixels that lost nothing more; return the places of those that did.

    What belongs to these is moved to the front; the ones that are in doubt are dropped.
    """
    going = 0
    for q in range(len(places)):
        p, low, high = places[q], lanes[_LOW + q], lanes[_HIGH + q]
        last_low, first_high = lanes[_LAST_LOW + q], lanes[_FIRST_HIGH + q]
        before, left = lanes[_LEFT + q], n - low - high
        may = max(2 * before - n - FEWEST, 0)
        sure = (lanes[_DOUBT + q] == 0) & (before - left <= may)
        more = sure & (left < before) & (left >= FEWEST)
        done = sure & ~more & (last_low < low) & (first_high >= n - high)
        first[p], end[p] = int(low) if done else 0, int(n - high) if done else n
        active[p] = not done
        lanes[_LEFT + going], lanes[_LOW + going], lanes[_HIGH + going] = left, low, high
        lanes[_LAST_LOW + going], lanes[_FIRST_HIGH + going] = last_low, first_high
        places[going], moves[going] = p, q
        going += int(more)
    if going < len(places):
        _move(n, moves[:going], lanes)
    return places[:going]


@njit
def _move(n, moves, lanes):
    """Move the samples of some pixels to the front."""
    for f in range(n):
        row = SAMPLES + f * AT_ONCE
        for q in range(len(moves)):
            lanes[row + q] = lanes[row + moves[q]]
