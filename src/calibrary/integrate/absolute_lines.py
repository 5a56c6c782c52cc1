"""Linear fit clipping by least absolute deviations, for many pixels at once.

Like `siril_lines` in single precision, to the end; what needs more digits is left to the method,
here `lines.linear_fit`, which also says how lines are sought. Pixels whose line is not the best
yet, and those that lost samples and need a new one, go on together.

The samples are whole numbers as a rule, and so is a residual times the distance of the two
samples on its line: its sign is known for sure.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from calibrary.integrate import tiles
from calibrary.integrate.lanes import AT_ONCE, SAMPLES, padded
from calibrary.integrate.lines import FEWEST, FEWEST_AGAIN, TURNS, first_pivot

# Kinds of what is known of a pixel, see `lanes`.
_LEFT: Final = 0 * AT_ONCE
_RANGE: Final = 1 * AT_ONCE
"""How many samples are left, and highest less lowest of them, ADU."""
_HERE: Final = 2 * AT_ONCE
_BASE: Final = 3 * AT_ONCE
"""Rank of the sample that the line is turned about, and this sample, ADU."""
_THERE: Final = 4 * AT_ONCE
_OTHER: Final = 5 * AT_ONCE
"""Those of the other sample on the line."""
_REST: Final = 6 * AT_ONCE
"""What half of the weight is more than that of the slopes passed."""
_SPAN: Final = 7 * AT_ONCE
_RISE: Final = 8 * AT_ONCE
"""Ranks between the two samples, and ADU."""
_NEAR: Final = 9 * AT_ONCE
"""Error of a residual, as all that follow times the span; 0 where its sign is sure."""
_PULL: Final = 10 * AT_ONCE
_TURNING: Final = 11 * AT_ONCE
_TIES: Final = 12 * AT_ONCE
"""Sum of the signs of the residuals, the same times their distance, and how many are 0."""
_TOTAL: Final = 13 * AT_ONCE
"""Sum of the residuals regardless of sign."""
_WITHIN_LOW: Final = 14 * AT_ONCE
_BEYOND_LOW: Final = 15 * AT_ONCE
_WITHIN_HIGH: Final = 16 * AT_ONCE
_BEYOND_HIGH: Final = 17 * AT_ONCE
"""Residuals up to which a sample is surely kept, and from which it surely is not."""
_LOW: Final = 18 * AT_ONCE
_LAST_LOW: Final = 19 * AT_ONCE
_HIGH: Final = 20 * AT_ONCE
_FIRST_HIGH: Final = 21 * AT_ONCE
"""How many samples are rejected, and the innermost of all that were, ADU."""
_DOUBT: Final = 22 * AT_ONCE
"""How many are neither surely kept nor surely rejected."""

_MOST_FRAMES = 4096
"""More are left to the method: sums of ranks and signs would not be exact."""
_LOOKS = 100
"""At a pixel; the few that need more are left to the method."""
_EXACT = np.float32(2**23)
"""Whole numbers up to this and sums of two of them are exact."""
_ERROR = np.float32(6e-7)
"""Error of a residual that is not exact, as a fraction of range, frames and span."""
_SUM_ERROR = np.float32(1.2e-7)
"""Relative error of a sum in single precision, for each term: twice what it can be."""
_HIGHEST = np.float32(3e38)
"""Above all slopes."""


@njit
def linear_fit(
    d, low, high, full_scale, exact, network, places, work, rooms, active, first, end
) -> None:
    """Find the ranges that linear fit clipping keeps; mark the pixels left to the method.

    Parameters
    ----------
    d, work, active
        As of the screens; of `d` only the samples kept are left, in front.
    low, high, full_scale
        See `lines.linear_fit`.
    exact
        Whether the samples are whole numbers.
    network
        See `network.sorting_network`.
    places
        Room, int32, ``[pixels]``.
    rooms
        See `lanes.rooms`. The samples are in the order of their rank; those that were rejected
        are infinite.
    first, end
        The ranges, ``[pixels]``.
    """
    n, todo = d.shape
    lanes, slopes = rooms
    first[:], end[:] = 0, n
    active[:] = n >= FEWEST
    if n < FEWEST or n > _MOST_FRAMES:
        return
    pivots, last_low, first_high = work[0], work[1], work[2]
    pivots[:], last_low[:], first_high[:] = first_pivot(n), -np.inf, np.inf
    for p in range(todo):
        places[p] = p
    for look in range(_LOOKS):
        going = 0
        for start in range(0, todo, AT_ONCE):
            some = places[start : min(start + AT_ONCE, todo)]
            size = padded(len(some))
            _gather(d, some, first, end, work, lanes)
            for _ in range(1 if look else TURNS):
                _turn(n, some, size, network, lanes, slopes)
            _weigh(n, size, exact, lanes)
            _set_limits(size, low, high, full_scale, lanes)
            _reject(n, size, lanes)
            going = _go_on(d, some, work, lanes, active, first, end, places, going)
        todo = going
    for k in range(todo):
        first[places[k]], end[places[k]] = 0, n


@njit
def _gather(d, places, first, end, work, lanes):
    """Copy what is left of some pixels."""
    for f in range(d.shape[0]):
        x, row = d[f], SAMPLES + f * AT_ONCE
        for q in range(len(places)):
            lanes[row + q] = x[places[q]]
    pivots, last_low, first_high = work[0], work[1], work[2]
    for q in range(len(places)):
        p = places[q]
        left = end[p] - first[p]
        lanes[_LEFT + q], lanes[_RANGE + q] = left, d[left - 1, p] - d[0, p]
        lanes[_THERE + q], lanes[_OTHER + q] = pivots[p], d[int(pivots[p]), p]
        lanes[_LAST_LOW + q], lanes[_FIRST_HIGH + q] = last_low[p], first_high[p]


@njit(error_model="numpy")
def _turn(n, places, size, network, lanes, slopes):
    """Turn the line of each pixel about the other of its samples to the best slope.

    That is the median of the slopes to all others, weighted with their distances. No slope is
    below 0, where the bits sort like numbers; the last ones carry the rank.
    """
    one, quarter = np.float32(1), np.float32(0.25)
    count = 1
    while count < n:
        count *= 2
    rank_bits, slope_bits = np.int32(count - 1), np.int32(-count)
    slopes = slopes[: (n + 1) * size].reshape(n + 1, size)
    keys = slopes.view(np.int32)
    for q in range(size):
        here = lanes[_THERE + q]
        lanes[_HERE + q], lanes[_BASE + q] = here, lanes[_OTHER + q]
        behind = lanes[_LEFT + q] - one - here
        lanes[_REST + q] = quarter * (here * (here + one) + behind * (behind + one))
    for f in range(n):
        row, rank, slope, key = SAMPLES + f * AT_ONCE, np.float32(f), slopes[f], keys[f]
        for q in range(size):
            distance = max(abs(rank - lanes[_HERE + q]), one)
            steepness = abs(lanes[row + q] - lanes[_BASE + q]) / distance
            slope[q] = steepness if rank < lanes[_LEFT + q] else _HIGHEST
        for q in range(size):
            key[q] = np.int32(key[q] & slope_bits) | np.int32(f)
    tiles.sort(slopes, network, np.float32(np.inf))
    for f in range(n):
        key = keys[f]
        for q in range(size):
            rank, rest, there = (
                np.float32(np.int32(key[q] & rank_bits)),
                lanes[_REST + q],
                lanes[_THERE + q],
            )
            lanes[_THERE + q] = rank if rest > 0 else there
            lanes[_REST + q] = rest - abs(rank - lanes[_HERE + q])
    for q in range(len(places)):
        lanes[_OTHER + q] = lanes[SAMPLES + int(lanes[_THERE + q]) * AT_ONCE + q]


@njit(error_model="numpy")
def _weigh(n, size, exact, lanes):
    """Add up the residuals of each pixel, and what they do to its line; see `lines`."""
    zero, one = np.float32(0), np.float32(1)
    for q in range(size):
        span, rise = lanes[_THERE + q] - lanes[_HERE + q], lanes[_OTHER + q] - lanes[_BASE + q]
        lanes[_SPAN + q], lanes[_RISE + q] = abs(span), abs(rise)
        sure = exact & (abs(rise) * lanes[_LEFT + q] <= _EXACT)
        error = _ERROR * lanes[_RANGE + q] * lanes[_LEFT + q]
        lanes[_NEAR + q] = zero if sure else error
        lanes[_PULL + q], lanes[_TURNING + q], lanes[_TIES + q] = zero, zero, zero
        lanes[_TOTAL + q] = zero
    for f in range(n):
        row, rank = SAMPLES + f * AT_ONCE, np.float32(f)
        for q in range(size):
            off = rank - lanes[_HERE + q]
            r = (lanes[row + q] - lanes[_BASE + q]) * lanes[_SPAN + q] - lanes[_RISE + q] * off
            left, on_line = rank < lanes[_LEFT + q], abs(r) <= lanes[_NEAR + q]
            side = off * (rank - lanes[_THERE + q]) if on_line else r
            sign = (one if side > 0 else zero) - (one if side < 0 else zero)
            sign = sign if left else zero
            lanes[_PULL + q] += sign
            lanes[_TURNING + q] += sign * off
            lanes[_TIES + q] += one if left & on_line else zero
            lanes[_TOTAL + q] += abs(r) if left else zero


@njit(error_model="numpy")
def _set_limits(size, low, high, full_scale, lanes):
    """Set the limits of each pixel by its mean absolute residual."""
    one = np.float32(1)
    for q in range(size):
        left, near = lanes[_LEFT + q], lanes[_NEAR + q]
        steepness = lanes[_RISE + q] / (lanes[_SPAN + q] * full_scale)
        spread = np.float32(2) * lanes[_TOTAL + q] / left * np.sqrt(one + steepness * steepness)
        part = left * _SUM_ERROR + np.float32(1e-6)
        least, most = spread * (one - part) - near, spread * (one + part) + near
        lanes[_WITHIN_LOW + q], lanes[_BEYOND_LOW + q] = low * least - near, low * most + near
        lanes[_WITHIN_HIGH + q], lanes[_BEYOND_HIGH + q] = high * least - near, high * most + near


@njit(error_model="numpy")
def _reject(n, size, lanes):
    """Reject the samples of each pixel that are beyond its limits."""
    zero, one, gone = np.float32(0), np.float32(1), np.float32(np.inf)
    for q in range(size):
        lanes[_LOW + q], lanes[_HIGH + q], lanes[_DOUBT + q] = zero, zero, zero
    for f in range(n):
        row, rank = SAMPLES + f * AT_ONCE, np.float32(f)
        for q in range(size):
            x, off = lanes[row + q], rank - lanes[_HERE + q]
            r = (x - lanes[_BASE + q]) * lanes[_SPAN + q] - lanes[_RISE + q] * off
            left = rank < lanes[_LEFT + q]
            below = left & (r < -lanes[_BEYOND_LOW + q])
            above = left & (r > lanes[_BEYOND_HIGH + q])
            kept = (r > -lanes[_WITHIN_LOW + q]) & (r < lanes[_WITHIN_HIGH + q])
            lanes[_DOUBT + q] += zero if ~left | kept | below | above else one
            lanes[_LOW + q] += one if below else zero
            lanes[_HIGH + q] += one if above else zero
            lanes[_LAST_LOW + q] = max(lanes[_LAST_LOW + q], x if below else -gone)
            lanes[_FIRST_HIGH + q] = min(lanes[_FIRST_HIGH + q], x if above else gone)
            lanes[row + q] = gone if below | above else x


@njit
def _go_on(d, some, work, lanes, active, first, end, places, going):
    """Note the ranges of pixels that lose nothing more; list the others, behind `going`."""
    n = d.shape[0]
    for q in range(len(some)):
        p, there, near = some[q], lanes[_THERE + q], lanes[_NEAR + q]
        span, turning, ties = lanes[_SPAN + q], lanes[_TURNING + q], lanes[_TIES + q]
        balance = turning - lanes[_PULL + q] * (there - lanes[_HERE + q])
        flat = near == 0 and lanes[_TOTAL + q] == 0  # Then nothing is rejected.
        if not flat and (abs(turning) > span or abs(balance) > span):
            work[0, p] = there
            places[going] = p
            going += 1
            continue
        lost = 0 if flat else int(lanes[_LOW + q] + lanes[_HIGH + q])
        if lost > 0:
            _take_out(d, p, lanes, q)
            first[p], end[p] = first[p] + int(lanes[_LOW + q]), end[p] - int(lanes[_HIGH + q])
        left = end[p] - first[p]
        # Without exact residuals too few digits tell which of several best lines is found.
        only = ties == 2 and abs(turning) < span and abs(balance) < span
        sure = flat or ((near == 0 or only) and lanes[_DOUBT + q] == 0)
        if sure and lost > 0 and left >= FEWEST_AGAIN:
            pivot = int(there - lanes[_LOW + q])
            work[0, p] = min(max(pivot, 0), left - 1)
            work[1, p], work[2, p] = lanes[_LAST_LOW + q], lanes[_FIRST_HIGH + q]
            places[going] = p
            going += 1
            continue
        active[p] = not (
            sure
            and left > 0
            and lanes[_LAST_LOW + q] <= d[0, p]
            and lanes[_FIRST_HIGH + q] >= d[left - 1, p]
        )
        if active[p]:
            first[p], end[p] = 0, n
    return going


@njit
def _take_out(d, p, lanes, q):
    """Leave only the samples kept of a pixel."""
    kept = 0
    for k in range(int(lanes[_LEFT + q])):
        x = lanes[SAMPLES + k * AT_ONCE + q]
        d[kept, p] = x
        kept += int(x < np.inf)
