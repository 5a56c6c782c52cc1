"""Linear fit clipping: a line through the sorted samples of one pixel, by rank.

The conventions are those of `rejections`.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calibrary.integrate.rejections import Marks, Room, Samples, range_of

_SLOPES, _ON_LINE, _LEFT, _PLACE = 0, 1, 2, 3
"""Rows of the room: slopes to the other points; places of points on a line, from the pivot;
samples not rejected yet, and their places among all."""


@njit
def absolute_line(n: int, room: Room) -> tuple[float, float, float]:
    """Fit a line to the samples ``room[2, :n]`` against their place by least absolute deviations.

    A best line goes through two of the points. A point is taken that among sorted samples mostly
    lies near it, and the best line through that one is turned about the others that lie on it,
    until it is known to be the best of all (Wesolowsky 1981).

    Returns
    -------
    intercept, slope, deviation
        ADU, ADU per place, and the mean absolute residual in ADU.
    """
    pivot = 4 * n // 5
    slope = _best_slope_through(n, pivot, room)
    best = _absolute_residuals(room, n, pivot, slope)
    near = 1e-12 * (abs(room[_LEFT, 0]) + abs(room[_LEFT, n - 1]))
    better = True
    while better and not _is_best_line(room, n, pivot, slope, near):
        better = False
        for k in range(n):
            if k == pivot or abs(room[_LEFT, k] - room[_LEFT, pivot] - slope * (k - pivot)) > near:
                continue
            candidate = _best_slope_through(n, k, room)
            total = _absolute_residuals(room, n, k, candidate)
            if total < best * (1.0 - 1e-12):
                best, slope, pivot, better = total, candidate, k, True
                break
    return room[_LEFT, pivot] - slope * pivot, slope, best / n


@njit
def _is_best_line(room: Room, n: int, pivot: int, slope: float, near: float) -> bool:
    """Tell whether no line has a smaller sum of absolute residuals than this one.

    The points off the line pull at it by their signs, and turn it by their signs times their
    distance from the pivot. Each point on it holds against that with a number of its own from
    -1 to 1; if these can be chosen to balance both, the line is the best. For a given sum of
    them, their turning goes from that of the nearest points to that of the furthest ones.
    """
    pull, turn, count = 0, 0, 0
    for k in range(n):
        off = room[_LEFT, k] - room[_LEFT, pivot] - slope * (k - pivot)
        if abs(off) <= near:
            room[_ON_LINE, count] = k - pivot
            turn -= k - pivot
            count += 1
        else:
            sign = 1 if off > 0.0 else -1
            pull += sign
            turn += sign * (k - pivot)
    # Counted from -1 each point holds 0 to 2; so much of the first ones, or of the last ones.
    first = last = count - pull
    if first < 0 or first > 2 * count:
        return False
    least = most = 0.0
    for i in range(count):
        least += min(first, 2) * room[_ON_LINE, i]
        most += min(last, 2) * room[_ON_LINE, count - 1 - i]
        first, last = max(first - 2, 0), max(last - 2, 0)
    return least <= -turn <= most


@njit
def _absolute_residuals(room: Room, n: int, pivot: int, slope: float) -> float:
    """Return the sum of the absolute residuals of a line through one point, ADU."""
    total = 0.0
    for k in range(n):
        total += abs(room[_LEFT, k] - room[_LEFT, pivot] - slope * (k - pivot))
    return total


@njit(error_model="numpy")
def _best_slope_through(n: int, pivot: int, room: Room) -> float:
    """Return the best slope of a line through one point.

    It is the median of the slopes to the other points, weighted with their distances: the lowest
    one that has half of the weight up to it.
    """
    for k in range(n):
        room[_SLOPES, k] = (room[_LEFT, k] - room[_LEFT, pivot]) / (k - pivot)
    weight_of_all = (pivot * (pivot + 1) + (n - 1 - pivot) * (n - pivot)) // 2
    lower, best = -np.inf, np.inf
    for i in range(n):
        # The far points first: their slopes soon leave few between.
        slope = room[_SLOPES, i if 2 * pivot > n else n - 1 - i]
        if lower < slope < best:  # Not the pivot's own, which is no number.
            weight = 0
            for j in range(n):
                weight += abs(j - pivot) if room[_SLOPES, j] <= slope else 0
            if 2 * weight >= weight_of_all:
                best = slope
            else:
                lower = slope
    return best


@njit
def linear_fit(
    x: Samples, low: float, high: float, full_scale: float, room: Room, marks: Marks
) -> tuple[int, int]:
    """Reject samples far from a line through the sorted samples against their rank.

    The line is that of least absolute deviations (`absolute_line`); the spread is twice the mean
    absolute residual times sqrt(1 + slope²). Samples whose residual is at least `low` or `high`
    spreads are rejected, and the line is fitted again to the ranks left, while 3 are. Needs 5
    samples. May reject between kept samples. Source: PI.

    Parameters
    ----------
    full_scale
        ADU that is 1.0: the slope is taken in normalised units, as PixInsight's samples are. In
        ADU its factor would be large and the limits would mean something else.
    """
    n = len(x)
    if n < 5:
        return 0, n
    for k in range(n):
        room[_LEFT, k], room[_PLACE, k] = x[k], k
    while n >= 3:
        intercept, slope, deviation = absolute_line(n, room)
        spread = 2.0 * deviation * math.sqrt(1.0 + (slope / full_scale) ** 2)
        if spread <= 1e-12 * full_scale:
            break
        kept = 0
        for k in range(n):
            residual = room[_LEFT, k] - (intercept + slope * k)
            if residual < 0.0 and -residual >= low * spread:
                marks[int(room[_PLACE, k])] = -1
            elif residual >= 0.0 and residual >= high * spread:
                marks[int(room[_PLACE, k])] = 1
            else:
                room[_LEFT, kept], room[_PLACE, kept] = room[_LEFT, k], room[_PLACE, k]
                kept += 1
        if kept == n:
            break
        n = kept
    return range_of(marks)
