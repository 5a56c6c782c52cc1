"""Siril's variants of the rejection methods, as version 1.0.6 computes them.

They differ from those of `rejections` in centre, spread and in when they stop: a sample is only
rejected while the number of samples at the start of the pass, less all that was rejected so far,
exceeds 4, low samples first. Like those, each is a pure function on the sorted samples of one
pixel (float64 ADU, ``[n]``); ``marks`` (``[n]``) receives -1 for rejected low, 1 for rejected
high, others are left alone.

Samples of exactly 0 are no samples to Siril: the caller leaves them out, and hands down `total`,
the number of samples with them.

Source: Siril 1.0.6, ``stacking/rejection_float.c``, ``median_and_mean.c``, ``siril_fit_linear.c``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calibrary.integrate.rejections import (
    WINSOR_CLAMP,
    WINSOR_CORRECTION,
    WINSOR_TOLERANCE,
    Marks,
    Samples,
    mean_and_deviation,
    median_of,
)

FEWEST = 4
"""Siril rejects no further when so few would remain, and nothing among half as many."""


@njit
def _deviation(y: Samples, n: int) -> np.float32:
    """Sample standard deviation in single precision, as Siril compares it."""
    _, deviation = mean_and_deviation(y, 0, n)
    return np.float32(deviation)


@njit
def sigma(x: Samples, low: float, high: float, marks: Marks) -> None:
    """Reject samples further than `low` or `high` standard deviations from the median."""
    if len(x) <= FEWEST // 2:
        return
    y, place, n, gone = x.copy(), np.arange(len(x)), len(x), 0
    while True:
        spread = _deviation(y, n)
        centre = median_of(y, 0, n)
        kept, gone = _reject(y, place, n, gone, centre, low * spread, high * spread, marks)
        if kept == n or kept < FEWEST:
            break
        n = kept


@njit
def winsorized(x: Samples, low: float, high: float, integers: bool, marks: Marks) -> None:
    """Reject by a winsorised standard deviation about the median.

    Starts from the standard deviation; samples are drawn in to median ± 1.5 spreads, limits
    rounded to whole ADU for `integers`; the spread is 1.134 times their deviation, until it
    changes by no more than 0.05 %.
    """
    if len(x) <= FEWEST // 2:
        return
    y, place, n, gone = x.copy(), np.arange(len(x)), len(x), 0
    drawn = np.empty(n)
    while True:
        centre = median_of(y, 0, n)
        spread = _deviation(y, n)
        drawn[:n] = y[:n]
        while True:
            reach = np.float32(WINSOR_CLAMP) * spread
            bottom, top = centre - reach, centre + reach
            if integers:
                bottom = min(max(math.floor(bottom + 0.5), 0.0), 65535.0)
                top = min(max(math.floor(top + 0.5), 0.0), 65535.0)
            for k in range(n):
                drawn[k] = min(max(drawn[k], bottom), top)
            before = spread
            spread = np.float32(WINSOR_CORRECTION) * _deviation(drawn, n)
            if not abs(spread - before) > before * np.float32(WINSOR_TOLERANCE):
                break
        kept, gone = _reject(y, place, n, gone, centre, low * spread, high * spread, marks)
        if kept == n or kept < FEWEST:
            break
        n = kept


@njit
def _reject(
    y: Samples,
    place: np.ndarray,
    n: int,
    gone: int,
    centre: float,
    low: float,
    high: float,
    marks: Marks,
) -> tuple[int, int]:
    """Move what is kept of ``y[:n]`` to its front; return how many, and all rejected so far."""
    kept = 0
    for k in range(n):
        mark = 0
        if n - gone > FEWEST:
            mark = -1 if centre - y[k] > low else int(y[k] - centre > high)
        if mark:
            marks[place[k]] = mark
            gone += 1
        else:
            y[kept], place[kept] = y[k], place[k]
            kept += 1
    return kept, gone


@njit
def linear_fit(x: Samples, low: float, high: float, total: int, marks: Marks) -> None:
    """Reject samples far from the least-squares line through the sorted samples by rank.

    The spread is the mean absolute residual, so that 5 means about as much as 2.5 to PixInsight.
    Mean and spread of the ranks stay those of all `total` frames when some were rejected; so
    do the later lines of Siril, and with them its results.
    """
    if len(x) <= FEWEST // 2:
        return
    y, place, n, gone = x.copy(), np.arange(len(x)), len(x), 0
    middle = 0.5 * (total - 1)
    rank_variance = (total * total - 1) / 12.0
    while True:
        mean = 0.0
        for k in range(n):
            mean += y[k]
        mean /= n
        product = 0.0
        for k in range(n):
            product += (k - middle) * (y[k] - mean)
        slope = product / n / rank_variance
        intercept = mean - middle * slope
        spread = 0.0
        for k in range(n):
            spread += abs(y[k] - (slope * k + intercept))
        spread /= n
        kept = 0
        for k in range(n):
            mark = 0
            residual = y[k] - (slope * k + intercept)
            if n - gone > FEWEST:
                mark = -1 if -residual > low * spread else int(residual > high * spread)
            if mark:
                marks[place[k]] = mark
                gone += 1
            else:
                y[kept], place[kept] = y[k], place[k]
                kept += 1
        if kept == n or kept < FEWEST:
            break
        n = kept
