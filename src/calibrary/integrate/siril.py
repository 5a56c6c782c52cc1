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
    less,
    median_of,
    range_of,
    sums_about,
)

_TERMS, _LEFT, _PLACE = 0, 2, 3
"""Rows of the room: the terms of a sum; samples not rejected yet, and their places among all."""
FEWEST = 4
"""Siril rejects no further when so few would remain, and nothing among half as many."""


@njit(error_model="numpy")
def sigma(x: Samples, low: float, high: float, marks: Marks) -> tuple[int, int]:
    """Reject samples further than `low` or `high` standard deviations from the median."""
    n = len(x)
    first, end, left, base = 0, n, n + 1, x[n // 2]
    total, power = sums_about(x, base)
    while first >= 0 and end - first < left and end - first >= FEWEST:
        left = end - first
        spread = _single_deviation(total, power, left)
        centre = median_of(x, first, end)
        i, j = _reject(x, first, end, centre, low * spread, high * spread, marks)
        total, power = less(x, first, i, base, total, power)
        total, power = less(x, j, end, base, total, power)
        first, end = i, j
    return first, end


@njit(error_model="numpy")
def winsorized(
    x: Samples, low: float, high: float, integers: bool, marks: Marks
) -> tuple[int, int]:
    """Reject by a winsorised standard deviation about the median.

    Starts from the standard deviation; samples are drawn in to median ± 1.5 spreads, limits
    rounded to whole ADU for `integers`; the spread is 1.134 times their deviation, until it
    changes by no more than 0.05 %. What was drawn in stays so: the narrowest limits count.
    """
    n = len(x)
    first, end, left, base = 0, n, n + 1, x[n // 2]
    sums = sums_about(x, base)
    while first >= 0 and end - first < left and end - first >= FEWEST:
        left = end - first
        centre = median_of(x, first, end)
        spread = _winsorized_spread(x, first, end, centre, integers, base, sums)
        i, j = _reject(x, first, end, centre, low * spread, high * spread, marks)
        sums = less(x, first, i, base, sums[0], sums[1])
        sums = less(x, j, end, base, sums[0], sums[1])
        first, end = i, j
    return first, end


@njit(error_model="numpy")
def _winsorized_spread(
    x: Samples,
    first: int,
    end: int,
    centre: float,
    integers: bool,
    base: float,
    sums: tuple[float, float],
) -> np.float32:
    """Return the winsorised deviation of ``x[first:end]`` about the centre, ADU.

    Drawing in changes only the ends: `sums`, those of `sums_about`, go over what is left alone.
    """
    n = end - first
    total, power = sums
    spread = _single_deviation(total, power, n)
    i, j, bottom, top = first, end, -np.inf, np.inf
    while True:
        reach = np.float32(WINSOR_CLAMP) * spread
        lower, upper = centre - reach, centre + reach
        if integers:
            lower = min(max(math.floor(lower + 0.5), 0.0), 65535.0)
            upper = min(max(math.floor(upper + 0.5), 0.0), 65535.0)
        bottom, top = max(bottom, lower), min(top, upper)
        k, m = i, j
        while i < j and x[i] < bottom:
            i += 1
        while j > i and x[j - 1] > top:
            j -= 1
        total, power = less(x, k, i, base, total, power)
        total, power = less(x, j, m, base, total, power)
        a, b = bottom - base, top - base
        below, above = i - first, end - j
        drawn, squares = below * a + above * b, below * a * a + above * b * b
        before, spread = spread, _single_deviation(total + drawn, power + squares, n)
        spread *= np.float32(WINSOR_CORRECTION)
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
    first, end = 0, n
    level, product = _line_sums(x, room)
    while n > FEWEST // 2:
        left = end - first
        slope, intercept = _line(level, product, left, total, x[0])
        spread = _mean_residual(x, first, end, slope, intercept, room)
        below, above = low * spread, high * spread
        i, j = first, end
        while i < end and slope * (i - first) + intercept - x[i] > below:
            i += 1
        while j > i and x[j - 1] - (slope * (j - 1 - first) + intercept) > above:
            j -= 1
        may = left - (n - left) - FEWEST
        if i - first + end - j > may or _any_beyond(x, first, i, j, slope, intercept, below, above):
            return _linear_fit_between(x, first, end, low, high, total, room, marks)
        for k in range(first, i):
            level -= x[k] - x[0]
            product -= (k - first) * (x[k] - x[0])
        for k in range(j, end):
            level -= x[k] - x[0]
            product -= (k - first) * (x[k] - x[0])
        product -= (i - first) * level  # The ranks of what is left begin at 0 again.
        first, end = i, j
        if end - first == left or end - first < FEWEST:
            break
    return first, end


@njit(error_model="numpy")
def _linear_fit_between(
    x: Samples,
    first: int,
    end: int,
    low: float,
    high: float,
    total: int,
    room: Room,
    marks: Marks,
) -> tuple[int, int]:
    """Go on with ``x[first:end]`` where samples between others are rejected, or not all may be."""
    n, left = len(x), end - first
    marks[:first] = -1
    marks[end:] = 1
    y, place = room[_LEFT], room[_PLACE]
    for k in range(left):
        y[k], place[k] = x[first + k], first + k
    may = left - (n - left) - FEWEST
    while may > 0:
        level, product = _line_sums(y[:left], room)
        slope, intercept = _line(level, product, left, total, y[0])
        spread = _mean_residual(y, 0, left, slope, intercept, room)
        kept = 0
        for k in range(left):
            residual = y[k] - (slope * k + intercept)
            below, above = -residual > low * spread, residual > high * spread
            if may > 0 and (below or above):
                marks[int(place[k])] = -1 if below else 1
                may -= 1
            else:
                y[kept], place[kept] = y[k], place[k]
                kept += 1
        if kept == left or kept < FEWEST:
            break
        # A sample less at the start of the next pass, and one more gone.
        may -= left - kept
        left = kept
    return range_of(marks)


@njit(error_model="numpy")
def _line_sums(y: Samples, room: Room) -> tuple[float, float]:
    """Return the sums of the samples above the first one, and of those times their rank."""
    n, base = len(y), y[0]
    for k in range(n):
        room[_TERMS, k] = k * (y[k] - base)
    product = _sum_of_terms(room, n)
    for k in range(n):
        room[_TERMS, k] = y[k] - base
    return _sum_of_terms(room, n), product


@njit(error_model="numpy")
def _line(level: float, product: float, n: int, total: int, base: float) -> tuple[float, float]:
    """Return slope and intercept of Siril's line through `n` samples by rank, ADU.

    From the sums above `base` of the samples and of the samples times their rank.
    """
    # What does not depend on the samples is divided while their sums are still on the way.
    part, steepness = 1.0 / n, 12.0 / (n * (float(total) * total - 1.0))
    mean = level * part
    slope = (product - level * (0.5 * (n - 1.0))) * steepness
    return slope, base + mean - 0.5 * (total - 1) * slope


@njit(error_model="numpy")
def _mean_residual(
    y: Samples, first: int, end: int, slope: float, intercept: float, room: Room
) -> float:
    """Return the mean absolute distance of ``y[first:end]`` from a line by rank, ADU."""
    n = end - first
    part = 1.0 / n
    for k in range(n):
        room[_TERMS, k] = abs(y[first + k] - (slope * k + intercept))
    return _sum_of_terms(room, n) * part


@njit(error_model="numpy")
def _sum_of_terms(room: Room, n: int) -> float:
    """Return a sum, in four parts that the processor adds up side by side."""
    sum0, sum1, sum2, sum3 = 0.0, 0.0, 0.0, 0.0
    whole = n - n % 4
    for k in range(0, whole, 4):
        sum0, sum1 = sum0 + room[_TERMS, k], sum1 + room[_TERMS, k + 1]
        sum2, sum3 = sum2 + room[_TERMS, k + 2], sum3 + room[_TERMS, k + 3]
    for k in range(whole, n):
        sum0 += room[_TERMS, k]
    return (sum0 + sum1) + (sum2 + sum3)


@njit(error_model="numpy")
def _any_beyond(
    y: Samples,
    base: int,
    first: int,
    end: int,
    slope: float,
    intercept: float,
    below: float,
    above: float,
) -> bool:
    """Tell whether any of ``y[first:end]`` is further than that from a line from `base` on."""
    beyond = 0
    for k in range(first, end):
        residual = y[k] - (slope * (k - base) + intercept)
        beyond |= int(-residual > below) | int(residual > above)
    return beyond != 0
