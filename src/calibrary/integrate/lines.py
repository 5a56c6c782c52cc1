"""Linear fit clipping: a line through the sorted samples of one pixel, by rank.

The conventions are those of `rejections`.
"""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calibrary.integrate.rejections import Marks, Room, Samples, range_of

FEWEST = 5
"""With fewer samples nothing is rejected."""
FEWEST_AGAIN = 3
"""With fewer left no other line is fitted."""
TURNS = 2
"""Of the first line of a pixel before it is looked at; half of them are the best by then."""
_SLOPES, _RESIDUALS, _LEFT, _PLACE = 0, 1, 2, 3
"""Rows of the room: slopes to the other points; residuals; samples not rejected yet, and their
places among all."""


@njit
def first_pivot(n: int) -> int:
    """Return the place of the sample that a line through `n` is turned about first.

    Among sorted normal ones it mostly lies near the best line.
    """
    return 4 * n // 5


@njit
def absolute_line(n: int, pivot: int, turns: int, room: Room) -> tuple[int, float, float]:
    """Fit a line to the samples ``room[2, :n]`` against their place by least absolute deviations.

    A best line goes through two of the points. One through a first point, `pivot`, is turned
    about it to its best slope, then about the other point that it meets there, and so on until it
    is known to be the best of all (Wesolowsky 1981), after `turns` at the least. Of several best
    ones it is the first that is found.

    Returns
    -------
    point, slope, deviation
        Place of the point met last, ADU per place, and the mean absolute residual in ADU; the
        residuals stand in the room.
    """
    here, there = 0, pivot
    slope = 0.0
    near = 1e-12 * (abs(room[_LEFT, 0]) + abs(room[_LEFT, n - 1]))
    for turn in range(1, n + turns):  # Mostly 2 to 4; rounding might let two lines take turns.
        here, there = there, _best_other(n, there, room)
        slope = (room[_LEFT, there] - room[_LEFT, here]) / (there - here)
        for k in range(n):
            room[_RESIDUALS, k] = room[_LEFT, k] - room[_LEFT, here] - slope * (k - here)
        if turn >= turns and _is_best_line(room, n, here, there, near):
            break
    total = 0.0
    for k in range(n):
        total += abs(room[_RESIDUALS, k])
    return there, slope, total / n


@njit
def _is_best_line(room: Room, n: int, here: int, there: int, near: float) -> bool:
    """Tell whether no line has a smaller sum of absolute residuals than the one of two points.

    The other points pull at it by their signs, and turn it by their signs times their distance.
    Each of the two points holds against that with a number of its own from -1 to 1; where these
    balance both, the line is the best. Other points on the line count as if all were a little
    higher, by the square of their place: so no three stand on one line.
    """
    pull, turning = 0, 0
    for k in range(n):
        off = room[_RESIDUALS, k]
        if abs(off) <= near:
            off = float((k - here) * (k - there))
        sign = int(off > 0.0) - int(off < 0.0)
        pull += sign
        turning += sign * (k - here)
    span = there - here
    return abs(turning) <= abs(span) and abs(turning - pull * span) <= abs(span)


@njit(error_model="numpy")
def _best_other(n: int, here: int, room: Room) -> int:
    """Return the other point on the best line through one point.

    Its slope is the median of the slopes to all others, weighted with their distances: the first
    one, by slope and then by place, that has half of the weight up to it.
    """
    for k in range(n):
        room[_SLOPES, k] = (room[_LEFT, k] - room[_LEFT, here]) / (k - here)
    behind = n - 1 - here
    of_all = (here * (here + 1) + behind * (behind + 1)) // 2
    lower, best = -np.inf, np.inf
    for i in range(n):
        # The far points first: their slopes soon leave few between.
        slope = room[_SLOPES, i if 2 * here > n else n - 1 - i]
        if lower < slope < best:  # Not the point's own, which is no number.
            weight = 0
            for j in range(n):
                weight += abs(j - here) if room[_SLOPES, j] <= slope else 0
            if 2 * weight >= of_all:
                best = slope
            else:
                lower = slope
    weight = 0
    for j in range(n):
        weight += abs(j - here) if room[_SLOPES, j] < best else 0
    there = 0
    for k in range(n):
        if room[_SLOPES, k] == best and 2 * weight < of_all:
            there = k
            weight += abs(k - here)
    return there


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
    if n < FEWEST:
        return 0, n
    for k in range(n):
        room[_LEFT, k], room[_PLACE, k] = x[k], k
    pivot, turns = first_pivot(n), TURNS
    while n >= FEWEST_AGAIN:
        pivot, slope, deviation = absolute_line(n, pivot, turns, room)
        spread = 2.0 * deviation * math.sqrt(1.0 + (slope / full_scale) ** 2)
        if spread <= 1e-12 * full_scale:
            break
        kept = lost = 0
        for k in range(n):
            residual = room[_RESIDUALS, k]
            if residual < 0.0 and -residual >= low * spread:
                marks[int(room[_PLACE, k])] = -1
                lost += 1
            elif residual >= 0.0 and residual >= high * spread:
                marks[int(room[_PLACE, k])] = 1
            else:
                room[_LEFT, kept], room[_PLACE, kept] = room[_LEFT, k], room[_PLACE, k]
                kept += 1
        if kept == n:
            break
        n, pivot, turns = kept, min(max(pivot - lost, 0), kept - 1), 1
    return range_of(marks)
