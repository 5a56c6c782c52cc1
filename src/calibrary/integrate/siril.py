"""Siril's variants of the rejection methods, as version 1.0.6 computes them.

They differ from those of `rejections` in centre, spread and in when they stop: a sample is only
rejected while the number of samples at the start of the pass, less all that was rejected so far,
exceeds 4, low samples first.

Each takes many pixels at a time: ``y``, float64 ADU, ``[n, room]``, of which the first `count`
columns are pixels with their samples in ascending order. ``marks``, like `y`, all 0, receives -1
for rejected low and 1 for rejected high. The arithmetic of a pixel is the same whatever stands
beside it. All pixels go on until the last has settled; those that have are left alone.

Samples of exactly 0 are no samples to Siril: the caller leaves them out, and hands down `total`,
the number of samples with them.

Source: Siril 1.0.6, ``stacking/rejection_float.c``, ``median_and_mean.c``, ``siril_fit_linear.c``.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from calibrary.integrate.rejections import (
    WINSOR_CLAMP,
    WINSOR_CORRECTION,
    WINSOR_TOLERANCE,
    Samples,
    median_of,
)

FEWEST = 4
"""Siril rejects no further when so few would remain, and nothing among half as many."""

Marks = npt.NDArray[np.int8]
Spreads = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@njit(error_model="numpy")
def sigma(y: Samples, count: int, low: float, high: float, marks: Marks) -> None:
    """Reject samples further than `low` or `high` standard deviations from the median."""
    if y.shape[0] <= FEWEST // 2:
        return
    left, gone, going = _begin(y.shape[0], count)
    centre, flat, spread = np.empty(count), np.zeros(count), np.empty(count, np.float32)
    while going.any():
        _medians(y, marks, left, centre)
        _deviations(y, marks, left, centre, spread)
        _reject(y, marks, left, gone, going, flat, centre, low * spread, high * spread)


@njit(error_model="numpy")
def winsorized(
    y: Samples, count: int, low: float, high: float, integers: bool, marks: Marks
) -> None:
    """Reject by a winsorised standard deviation about the median.

    Starts from the standard deviation; samples are drawn in to median ± 1.5 spreads, limits
    rounded to whole ADU for `integers`; the spread is 1.134 times their deviation, until it
    changes by no more than 0.05 %. What was drawn in stays so: the narrowest limits count.
    """
    if y.shape[0] <= FEWEST // 2:
        return
    n = y.shape[0]
    x, sums, squares = np.empty(n), np.empty(n + 1), np.empty(n + 1)
    for p in range(count):
        left, gone, kept = 0, 0, n
        while kept != left and kept >= FEWEST:
            left = 0
            for k in range(n):
                if marks[k, p] == 0:
                    x[left] = y[k, p]
                    left += 1
            centre = median_of(x, 0, left)
            spread = _winsorized_spread(x, left, centre, integers, sums, squares)
            below, above = low * spread, high * spread
            if centre - x[0] <= below and x[left - 1] - centre <= above:
                break
            gone += _reject_ends(y, p, left - gone, centre, below, above, marks)
            kept = n - gone


@njit(error_model="numpy")
def _winsorized_spread(
    x: Samples, n: int, centre: float, integers: bool, sums: Samples, squares: Samples
) -> np.float32:
    """Return the winsorised deviation of the sorted samples ``x[:n]`` about their median, ADU.

    Drawing in changes only the ends: the sums of what is left alone are differences of running
    sums, which of integers are exact.
    """
    sums[0], squares[0] = 0.0, 0.0
    for k in range(n):
        d = x[k] - centre
        sums[k + 1], squares[k + 1] = sums[k] + d, squares[k] + d * d
    spread = _single_deviation(sums[n], squares[n], n)
    first, end, bottom, top = 0, n, -np.inf, np.inf
    while True:
        reach = np.float32(WINSOR_CLAMP) * spread
        lower, upper = centre - reach, centre + reach
        if integers:
            lower = min(max(math.floor(lower + 0.5), 0.0), 65535.0)
            upper = min(max(math.floor(upper + 0.5), 0.0), 65535.0)
        bottom, top = max(bottom, lower), min(top, upper)
        while first < end and x[first] < bottom:
            first += 1
        while end > first and x[end - 1] > top:
            end -= 1
        a, b = bottom - centre, top - centre
        total = sums[end] - sums[first] + first * a + (n - end) * b
        power = squares[end] - squares[first] + first * a * a + (n - end) * b * b
        before = spread
        spread = np.float32(WINSOR_CORRECTION) * _single_deviation(total, power, n)
        if not abs(spread - before) > before * np.float32(WINSOR_TOLERANCE):
            return spread


@njit(error_model="numpy")
def _single_deviation(total: float, squares: float, n: int) -> np.float32:
    """Return the sample standard deviation in single precision, as Siril compares it."""
    return np.float32(math.sqrt(max((squares - total * total / n) / (n - 1), 0.0)))


@njit
def _reject_ends(
    y: Samples, p: int, spare: int, centre: float, low: float, high: float, marks: Marks
) -> int:
    """Mark what lies too far from the centre of a pixel, low samples first; return how many."""
    gone = 0
    for k in range(y.shape[0]):
        if spare - gone <= FEWEST:
            break
        if marks[k, p] == 0:
            below, above = centre - y[k, p] > low, y[k, p] - centre > high
            if below or above:
                marks[k, p] = -1 if below else 1
                gone += 1
    return gone


@njit(error_model="numpy")
def linear_fit(y: Samples, count: int, low: float, high: float, total: int, marks: Marks) -> None:
    """Reject samples far from the least-squares line through the sorted samples by rank.

    The spread is the mean absolute residual, so that 5 means about as much as 2.5 to PixInsight.
    Mean and spread of the ranks stay those of all `total` frames when some were rejected; so
    do the later lines of Siril, and with them its results.
    """
    if y.shape[0] <= FEWEST // 2:
        return
    left, gone, going = _begin(y.shape[0], count)
    slope, intercept, spread = np.empty(count), np.empty(count), np.empty(count)
    while going.any():
        _lines(y, marks, left, total, slope, intercept)
        _mean_residuals(y, marks, left, slope, intercept, spread)
        _reject(y, marks, left, gone, going, slope, intercept, low * spread, high * spread)


@njit
def _begin(n: int, count: int) -> tuple[Samples, Samples, Flags]:
    """Return for each pixel the samples left, those gone, and that it is not finished."""
    return np.full(count, float(n)), np.zeros(count), np.ones(count, np.bool_)


@njit(error_model="numpy")
def _medians(y: Samples, marks: Marks, left: Samples, centre: Samples) -> None:
    """Write the median of what is left of each pixel."""
    rank, lower = np.zeros(len(left)), np.zeros(len(left))
    upper = np.zeros(len(left))
    for k in range(y.shape[0]):
        x, gone = y[k], marks[k]
        for p in range(len(left)):
            kept = gone[p] == 0
            # Of n samples the middle ones have 2 rank + 1 = n, or n - 1 and n + 1.
            place = 2.0 * rank[p] + 1.0 - left[p]
            lower[p] = x[p] if kept and (place == 0.0 or place == -1.0) else lower[p]
            upper[p] = x[p] if kept and (place == 0.0 or place == 1.0) else upper[p]
            rank[p] += 1.0 if kept else 0.0
    for p in range(len(left)):
        centre[p] = 0.5 * (lower[p] + upper[p])


@njit(error_model="numpy")
def _deviations(
    y: Samples,
    marks: Marks,
    left: Samples,
    centre: Samples,
    spread: Spreads,
) -> None:
    """Write the standard deviation of what is left of each pixel, as Siril compares it.

    Sums are taken about `centre`: of integers they are exact.
    """
    total, squares = np.zeros(len(left)), np.zeros(len(left))
    for k in range(y.shape[0]):
        x, gone = y[k], marks[k]
        for p in range(len(left)):
            d = x[p] - centre[p] if gone[p] == 0 else 0.0
            total[p] += d
            squares[p] += d * d
    for p in range(len(left)):
        variance = (squares[p] - total[p] * total[p] / left[p]) / (left[p] - 1.0)
        spread[p] = np.float32(math.sqrt(max(variance, 0.0)))


@njit(error_model="numpy")
def _lines(
    y: Samples, marks: Marks, left: Samples, total: int, slope: Samples, intercept: Samples
) -> None:
    """Write the line through what is left of each pixel, by rank."""
    middle, rank_variance = 0.5 * (total - 1), (total * total - 1) / 12.0
    rank, level, product = np.zeros(len(left)), np.zeros(len(left)), np.zeros(len(left))
    first = y[0]
    for k in range(y.shape[0]):
        x, gone = y[k], marks[k]
        for p in range(len(left)):
            d = x[p] - first[p] if gone[p] == 0 else 0.0
            level[p] += d
            product[p] += rank[p] * d
            rank[p] += 1.0 if gone[p] == 0 else 0.0
    for p in range(len(left)):
        mean = level[p] / left[p]
        covariance = (product[p] - mean * (0.5 * left[p] * (left[p] - 1.0))) / left[p]
        slope[p] = covariance / rank_variance
        intercept[p] = first[p] + mean - middle * slope[p]


@njit(error_model="numpy")
def _mean_residuals(
    y: Samples,
    marks: Marks,
    left: Samples,
    slope: Samples,
    intercept: Samples,
    spread: Samples,
) -> None:
    """Write the mean absolute distance of what is left from the line."""
    rank = np.zeros(len(left))
    spread[:] = 0.0
    for k in range(y.shape[0]):
        x, gone = y[k], marks[k]
        for p in range(len(left)):
            distance = abs(x[p] - (slope[p] * rank[p] + intercept[p]))
            spread[p] += distance if gone[p] == 0 else 0.0
            rank[p] += 1.0 if gone[p] == 0 else 0.0
    for p in range(len(left)):
        spread[p] /= left[p]


@njit(error_model="numpy")
def _reject(
    y: Samples,
    marks: Marks,
    left: Samples,
    gone: Samples,
    going: Flags,
    slope: Samples,
    intercept: Samples,
    low: Samples,
    high: Samples,
) -> None:
    """Mark what lies too far from a line by rank; pixels that lose nothing more are finished."""
    rank, before = np.zeros(len(left)), gone.copy()
    for k in range(y.shape[0]):
        x, mark = y[k], marks[k]
        for p in range(len(left)):
            residual = x[p] - (slope[p] * rank[p] + intercept[p])
            kept = mark[p] == 0
            may = kept and going[p] and left[p] - gone[p] > FEWEST
            below = may and -residual > low[p]
            above = may and not below and residual > high[p]
            mark[p] += np.int8(above) - np.int8(below)
            gone[p] += 1.0 if below or above else 0.0
            rank[p] += 1.0 if kept else 0.0
    for p in range(len(left)):
        kept_now = left[p] - (gone[p] - before[p])
        going[p] &= kept_now != left[p] and kept_now >= FEWEST
        left[p] = kept_now
