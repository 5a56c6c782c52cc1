"""Siril's variants of the rejection methods, as version 1.0.6 computes them.

They differ from those of `rejections`, whose conventions they follow, in centre, spread and in
when they stop: a sample is only rejected while the number of samples at the start of the pass,
less all that was rejected so far, exceeds 4; low samples first, then high ones from the lowest on.

Samples of exactly 0 are no samples to Siril: the caller leaves them out, and hands down `total`,
the number of samples with them.

Source: Siril 1.0.6, ``stacking/rejection_float.c``, ``median_and_mean.c``, ``siril_fit_linear.c``.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calibrary.integrate.rejections import (
    SEE_MARKS,
    WINSOR_CLAMP,
    WINSOR_CORRECTION,
    WINSOR_TOLERANCE,
    Marks,
    Room,
    Samples,
    fill_running_sums,
    median_of,
    range_of,
)

_LEFT, _PLACE = 2, 3
"""Rows of the room: samples not rejected yet, and their places among all."""
FEWEST = 4
"""Siril rejects no further when so few would remain, and nothing among half as many."""


@njit(error_model="numpy")
def sigma(x: Samples, low: float, high: float, room: Room, marks: Marks) -> tuple[int, int]:
    """Reject samples further than `low` or `high` standard deviations from the median."""
    n = len(x)
    first, end, left = 0, n, n + 1
    if n <= FEWEST // 2:
        return first, end
    fill_running_sums(x, room)
    while end - first < left and end - first >= FEWEST:
        left = end - first
        total, power = room[0, end] - room[0, first], room[1, end] - room[1, first]
        spread = _single_deviation(total, power, left)
        centre = median_of(x, first, end)
        first, end = _reject(x, first, end, centre, low * spread, high * spread, marks)
    return first, end


@njit(error_model="numpy")
def winsorized(
    x: Samples, low: float, high: float, integers: bool, room: Room, marks: Marks
) -> tuple[int, int]:
    """Reject by a winsorised standard deviation about the median.

    Starts from the standard deviation; samples are drawn in to median ± 1.5 spreads, limits
    rounded to whole ADU for `integers`; the spread is 1.134 times their deviation, until it
    changes by no more than 0.05 %. What was drawn in stays so: the narrowest limits count.
    """
    n = len(x)
    first, end, left = 0, n, n + 1
    if n <= FEWEST // 2:
        return first, end
    reference = fill_running_sums(x, room)
    while end - first < left and end - first >= FEWEST:
        left = end - first
        centre = median_of(x, first, end)
        spread = _winsorized_spread(x, first, end, centre, integers, reference, room)
        first, end = _reject(x, first, end, centre, low * spread, high * spread, marks)
    return first, end


@njit(error_model="numpy")
def _winsorized_spread(
    x: Samples, first: int, end: int, centre: float, integers: bool, reference: float, room: Room
) -> np.float32:
    """Return the winsorised deviation of ``x[first:end]`` about the centre, ADU.

    Drawing in changes only the ends: the sums of what is left alone, ``x[i:j]``, are differences
    of the running sums, which are taken about `reference`.
    """
    n = end - first
    total, power = room[0, end] - room[0, first], room[1, end] - room[1, first]
    spread = _single_deviation(total, power, n)
    i, j, bottom, top = first, end, -np.inf, np.inf
    while True:
        reach = np.float32(WINSOR_CLAMP) * spread
        lower, upper = centre - reach, centre + reach
        if integers:
            lower = min(max(math.floor(lower + 0.5), 0.0), 65535.0)
            upper = min(max(math.floor(upper + 0.5), 0.0), 65535.0)
        bottom, top = max(bottom, lower), min(top, upper)
        while i < j and x[i] < bottom:
            i += 1
        while j > i and x[j - 1] > top:
            j -= 1
        a, b = bottom - reference, top - reference
        below, above = i - first, end - j
        total = room[0, j] - room[0, i] + below * a + above * b
        power = room[1, j] - room[1, i] + below * a * a + above * b * b
        before = spread
        spread = np.float32(WINSOR_CORRECTION) * _single_deviation(total, power, n)
        if not abs(spread - before) > before * np.float32(WINSOR_TOLERANCE):
            return spread


@njit(error_model="numpy")
def _single_deviation(total: float, power: float, n: int) -> np.float32:
    """Return the sample standard deviation in single precision, as Siril compares it."""
    return np.float32(math.sqrt(max((power - total * total / n) / (n - 1), 0.0)))


@njit
def _reject(
    x: Samples, first: int, end: int, centre: float, low: float, high: float, marks: Marks
) -> tuple[int, int]:
    """Return what of ``x[first:end]`` is from ``centre - low`` to ``centre + high``, ADU.

    Where Siril stops before all others are rejected, the lowest of the high ones are the first to
    go, and the marks say which.
    """
    n = len(x)
    may = max(end - first - (n - (end - first)) - FEWEST, 0)
    i, j = first, end
    while i < end and i - first < may and centre - x[i] > low:
        i += 1
    while j > i and x[j - 1] - centre > high:
        j -= 1
    may -= i - first
    if end - j <= may:
        return i, j
    if may == 0:
        return i, end
    marks[:i] = -1
    marks[j : j + may] = 1
    marks[end:] = 1
    return SEE_MARKS


@njit(error_model="numpy")
def linear_fit(
    x: Samples, low: float, high: float, total: int, room: Room, marks: Marks
) -> tuple[int, int]:
    """Reject samples far from the least-squares line through the sorted samples by rank.

    The spread is the mean absolute residual, so that 5 means about as much as 2.5 to PixInsight.
    Mean and spread of the ranks stay those of all `total` frames when some were rejected; so
    do the later lines of Siril, and with them its results.
    """
    n = len(x)
    if n <= FEWEST // 2:
        return 0, n
    for k in range(n):
        room[_LEFT, k], room[_PLACE, k] = x[k], k
    left, may = n, n - FEWEST
    while True:
        slope, intercept = _line(room, left, total)
        spread = _mean_residual(room, left, slope, intercept)
        below, above = low * spread, high * spread
        if may <= 0 or not _any_beyond(room, left, slope, intercept, below, above):
            return range_of(marks)
        kept = 0
        for k in range(left):
            residual = room[_LEFT, k] - (slope * k + intercept)
            if may > 0 and (-residual > below or residual > above):
                marks[int(room[_PLACE, k])] = -1 if -residual > below else 1
                may -= 1
            else:
                room[_LEFT, kept], room[_PLACE, kept] = room[_LEFT, k], room[_PLACE, k]
                kept += 1
        # A sample less at the start of the next pass, and one more gone.
        may -= left - kept
        left = kept
        if left < FEWEST:
            return range_of(marks)


@njit(error_model="numpy")
def _any_beyond(
    room: Room, n: int, slope: float, intercept: float, below: float, above: float
) -> bool:
    """Tell whether any of the `n` samples left is further than that from a line by rank."""
    beyond = 0
    for k in range(n):
        residual = room[_LEFT, k] - (slope * k + intercept)
        beyond |= int(-residual > below) | int(residual > above)
    return beyond != 0


@njit(error_model="numpy")
def _line(room: Room, n: int, total: int) -> tuple[float, float]:
    """Return slope and intercept of Siril's line through the `n` samples left by rank, ADU.

    In four sums, which the processor adds up side by side; so does `_mean_residual`.
    """
    middle, rank_variance = 0.5 * (total - 1), (total * total - 1) / 12.0
    base = room[_LEFT, 0]
    level0, level1, product0, product1 = 0.0, 0.0, 0.0, 0.0
    level2, level3, product2, product3 = 0.0, 0.0, 0.0, 0.0
    whole = n - n % 4
    for k in range(0, whole, 4):
        a, b, c, d = (
            room[_LEFT, k] - base,
            room[_LEFT, k + 1] - base,
            room[_LEFT, k + 2] - base,
            room[_LEFT, k + 3] - base,
        )
        level0, level1, level2, level3 = level0 + a, level1 + b, level2 + c, level3 + d
        product0, product1 = product0 + k * a, product1 + (k + 1) * b
        product2, product3 = product2 + (k + 2) * c, product3 + (k + 3) * d
    for k in range(whole, n):
        level0 += room[_LEFT, k] - base
        product0 += k * (room[_LEFT, k] - base)
    mean = ((level0 + level1) + (level2 + level3)) / n
    product = (product0 + product1) + (product2 + product3)
    slope = (product - mean * (0.5 * n * (n - 1.0))) / n / rank_variance
    return slope, base + mean - middle * slope


@njit(error_model="numpy")
def _mean_residual(room: Room, n: int, slope: float, intercept: float) -> float:
    """Return the mean absolute distance of the `n` samples left from a line by rank, ADU."""
    sum0, sum1, sum2, sum3 = 0.0, 0.0, 0.0, 0.0
    whole = n - n % 4
    for k in range(0, whole, 4):
        sum0 += abs(room[_LEFT, k] - (slope * k + intercept))
        sum1 += abs(room[_LEFT, k + 1] - (slope * (k + 1) + intercept))
        sum2 += abs(room[_LEFT, k + 2] - (slope * (k + 2) + intercept))
        sum3 += abs(room[_LEFT, k + 3] - (slope * (k + 3) + intercept))
    for k in range(whole, n):
        sum0 += abs(room[_LEFT, k] - (slope * k + intercept))
    return ((sum0 + sum1) + (sum2 + sum3)) / n
