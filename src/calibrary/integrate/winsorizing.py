"""Winsorised sigma clipping, for many pixels at once.

Like `siril_lines` in single precision, to the end; what needs more digits is left to the method,
here `rejections.winsorized`, which also says what is done. Pixels with the same number of samples
left are worked on together.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from calibrary.integrate import tiles
from calibrary.integrate.lanes import AT_ONCE, SAMPLES, padded
from calibrary.integrate.rejections import (
    SN_FACTOR,
    WINSOR_CLAMP,
    WINSOR_CORRECTION,
    WINSOR_TOLERANCE,
    sn_correction,
)

# Kinds of what is known of a pixel, see `lanes`.
_BASE: Final = 0 * AT_ONCE
"""What all that follow are less, ADU."""
_BOTTOM: Final = 1 * AT_ONCE
_TOP: Final = 2 * AT_ONCE
"""The outermost samples, ADU."""
_LOCATION: Final = 3 * AT_ONCE
_SPREAD: Final = 4 * AT_ONCE
"""ADU."""
_TOTAL: Final = 5 * AT_ONCE
_POWER: Final = 6 * AT_ONCE
"""Sums of the samples drawn in and of their squares."""
_CLOSE: Final = 7 * AT_ONCE
"""How many of them are so near to the cutoff that too few digits tell their side."""
_STATE: Final = 8 * AT_ONCE
"""One of the following."""
_FIRST, _GOING, _MAY_REST, _SETTLED, _DOUBTFUL = (np.float32(k) for k in range(5))
"""Not drawn in yet; the spread still changes; it may have settled before, with nothing to reject;
it has settled; it may have settled before, with samples to reject, or too few digits tell."""

_FEWEST = 3
_MOST_FRAMES = 1000
"""More are left to the method: a sum of so many has too few digits."""
_NO_CUTOFF = np.float32(1e30)
_ROUNDS = 20
"""Of winsorising; most pixels settle after 5."""
_SUM_ERROR = np.float32(4e-7)
"""Error of the change of a spread for each sample, as a fraction of the spread: what adding up
may do to it, and to those before it."""
_FAR = np.float32(2)
"""Spreads from the base: further out too many digits of the sums cancel."""
_DOUBT = np.float32(1e-3)
"""Relative distance from a limit within which too few digits tell."""


@njit
def winsorized(d, low, high, cutoff, exact, network, places, rooms, active, first, end) -> None:
    """Find the ranges that winsorised clipping keeps; mark the pixels left to the method.

    Parameters
    ----------
    d, active
        As of the screens.
    low, high, cutoff
        See `rejections.winsorized`.
    exact
        Whether the samples are whole numbers.
    network
        See `network.sorting_network`.
    places
        Room, int32, ``[pixels]``.
    rooms
        See `lanes.rooms`. The samples are in the order of their rank, and drawn in.
    first, end
        The ranges, ``[pixels]``.
    """
    n, todo = d.shape
    first[:], end[:] = 0, n
    active[:] = n >= _FEWEST
    if n < _FEWEST or n > _MOST_FRAMES:
        return
    for p in range(todo):
        places[p] = p
    some = np.empty(AT_ONCE, np.int32)
    for left in range(n, _FEWEST - 1, -1):
        limits = low, high, cutoff if left == n and cutoff > 0 else _NO_CUTOFF, exact
        going = count = 0
        for k in range(todo):
            p = places[k]
            if end[p] - first[p] == left:
                some[count] = p
                count += 1
            else:
                places[going] = p
                going += 1
            if count == AT_ONCE or (k == todo - 1 and count > 0):
                chosen = active, first, end, places
                going = _clip(d, left, limits, network, some[:count], rooms, chosen, going)
                count = 0
        todo = going


@njit
def _clip(d, left, limits, network, some, rooms, chosen, going):
    """Clip some pixels once; list those that lost samples, behind `going`."""
    lanes, medians = rooms
    moves = np.empty(AT_ONCE, np.int32)
    _gather(d, left, some, chosen[1], lanes)
    size = padded(len(some))
    _begin(left, len(some), size, network, lanes, medians)
    _cut_off(left, size, limits[2], lanes)
    for rounds in range(1, _ROUNDS + 1):
        _draw_in(left, size, lanes)
        unsettled = padded(_measure(left, size, limits, lanes))
        if 2 * unsettled <= size or rounds == _ROUNDS:
            going = _note(d, left, limits, some, lanes, chosen, going)
            some, size = _move(left, some, moves, lanes), unsettled
            if size == 0:
                break
    return going


@njit
def _gather(d, left, places, first, lanes):
    """Copy what is left of some pixels, less their lower median: so the sums have small errors."""
    if left == d.shape[0]:
        for f in range(left):
            x, row = d[f], SAMPLES + f * AT_ONCE
            for q in range(len(places)):
                lanes[row + q] = x[places[q]]
        lanes[_BASE : _BASE + len(places)] = 0
    else:
        for q in range(len(places)):
            x = d[first[places[q]] :, places[q]]
            lanes[_BASE + q] = x[(left - 1) // 2]
            for f in range(left):
                lanes[SAMPLES + f * AT_ONCE + q] = x[f] - lanes[_BASE + q]


@njit(error_model="numpy")
def _begin(left, count, size, network, lanes, medians):
    """Begin with the median and 1.1926 Sn of each pixel."""
    half = np.float32(0.5)
    _spreads_sn(left, size, network, lanes, medians)
    samples = lanes[SAMPLES : SAMPLES + left * AT_ONCE].reshape(left, AT_ONCE)
    bottom, lower = samples[0], samples[(left - 1) // 2]
    upper, top = samples[left // 2], samples[left - 1]
    for q in range(size):
        lanes[_BOTTOM + q], lanes[_TOP + q] = bottom[q], top[q]
        lanes[_LOCATION + q] = half * (lower[q] + upper[q])
        lanes[_STATE + q] = _FIRST if lanes[_SPREAD + q] > 0 else _SETTLED
    lanes[_STATE + count : _STATE + size] = _SETTLED


@njit(error_model="numpy")
def _spreads_sn(left, size, network, lanes, medians):
    """Find 1.1926 Sn of each pixel; see `rejections.spread_sn`."""
    reach, far = left // 2, np.float32(np.inf)
    n = len(medians) // AT_ONCE - 1
    inner = medians[: (n + 1) * size].reshape(n + 1, size)
    samples = lanes[SAMPLES : SAMPLES + left * AT_ONCE].reshape(left, AT_ONCE)
    for i in range(left):
        out, here = inner[i], samples[i]
        out[:] = far
        last = min(i, left - 1 - reach)
        for a in range(max(0, i - reach), last + 1, 3):
            b, c = min(a + 1, last), min(a + 2, last)
            below_a, above_a = samples[a], samples[a + reach]
            below_b, above_b = samples[b], samples[b + reach]
            below_c, above_c = samples[c], samples[c + reach]
            for q in range(size):
                x = here[q]
                at_a_or_b = min(
                    max(x - below_a[q], above_a[q] - x), max(x - below_b[q], above_b[q] - x)
                )
                at_c = max(x - below_c[q], above_c[q] - x)
                out[q] = min(out[q], at_c, at_a_or_b)
    inner[left:] = far
    tiles.sort(inner, network, far)
    factor, low_median = np.float32(SN_FACTOR * sn_correction(left)), inner[(left + 1) // 2 - 1]
    for q in range(size):
        lanes[_SPREAD + q] = factor * low_median[q]


@njit(error_model="numpy")
def _cut_off(left, size, cutoff, lanes):
    """Set samples beyond the cutoff to the location."""
    clamp, zero, one = np.float32(WINSOR_CLAMP), np.float32(0), np.float32(1)
    lanes[_CLOSE : _CLOSE + size] = zero
    for f in range(left):
        row = SAMPLES + f * AT_ONCE
        for q in range(size):
            location, spread, x = lanes[_LOCATION + q], lanes[_SPREAD + q], lanes[row + q]
            off, cut = abs(x - location), cutoff * spread
            far = (off > clamp * spread) & (off >= cut)
            lanes[_CLOSE + q] += one if abs(off - cut) <= _DOUBT * cut else zero
            lanes[row + q] = location if far else x
    for q in range(size):
        doubtful = (lanes[_CLOSE + q] > zero) & (lanes[_SPREAD + q] > zero)
        lanes[_STATE + q] = _DOUBTFUL if doubtful else lanes[_STATE + q]


@njit(error_model="numpy")
def _draw_in(left, size, lanes):
    """Draw samples in to 1.5 spreads, and add them up."""
    clamp, zero = np.float32(WINSOR_CLAMP), np.float32(0)
    for q in range(size):
        lanes[_TOTAL + q], lanes[_POWER + q] = zero, zero
    for f in range(left):
        row = SAMPLES + f * AT_ONCE
        for q in range(size):
            reach = clamp * lanes[_SPREAD + q]
            x = max(lanes[row + q], lanes[_LOCATION + q] - reach)
            x = min(x, lanes[_LOCATION + q] + reach)
            lanes[row + q] = x
            lanes[_TOTAL + q] += x
            lanes[_POWER + q] += x * x


@njit(error_model="numpy")
def _measure(left, size, limits, lanes):
    """Measure location and spread of the samples drawn in; return how many have not settled."""
    low, high, cutoff, _ = limits
    reach = np.float32(2 * WINSOR_CLAMP) * (np.float32(1) + _DOUBT)
    zero, one, count = np.float32(0), np.float32(1), np.float32(left)
    tolerance, doubt = np.float32(WINSOR_TOLERANCE), count * _SUM_ERROR
    unsettled = 0
    for q in range(size):
        state, before, mean = lanes[_STATE + q], lanes[_SPREAD + q], lanes[_TOTAL + q] / count
        variance = (lanes[_POWER + q] - mean * lanes[_TOTAL + q]) / (count - one)
        spread = np.float32(WINSOR_CORRECTION) * np.sqrt(max(variance, zero))
        change, least = abs(before - spread), spread * (one - _DOUBT)
        all_kept = mean - lanes[_BOTTOM + q] < low * least
        all_kept &= lanes[_TOP + q] - mean < high * least
        rests = change < (tolerance - doubt) * before
        may_rest = change <= (tolerance + doubt) * before
        after = _MAY_REST if all_kept else _DOUBTFUL
        after = _SETTLED if rests & (all_kept | (state == _GOING)) else after
        after = after if may_rest & (state != _FIRST) else max(state, _GOING)
        # Drawn in samples might be beyond the cutoff if the spread shrank so much.
        doubtful = (reach * before > cutoff * spread) | (abs(mean) > _FAR * spread)
        after = _DOUBTFUL if doubtful else after
        moves = state < _SETTLED
        lanes[_LOCATION + q] = mean if moves else lanes[_LOCATION + q]
        lanes[_SPREAD + q] = spread if moves else before
        lanes[_STATE + q] = after if moves else state
        unsettled += int(lanes[_STATE + q] < _SETTLED)
    return unsettled


@njit
def _note(d, left, limits, some, lanes, chosen, going):
    """Note the ranges of pixels that have settled; list those that lost samples."""
    low, high, _, exact = limits
    active, first, end, places = chosen
    one = np.float32(1)
    for q in range(len(some)):
        p, base, spread = some[q], lanes[_BASE + q], lanes[_SPREAD + q]
        location = lanes[_LOCATION + q]
        if lanes[_STATE + q] < _SETTLED:
            continue
        i, j, sure = first[p], end[p], lanes[_STATE + q] == _SETTLED
        if spread == 0:
            sure &= exact or d[i, p] == d[j - 1, p]  # Else there may be some spread.
        else:
            most, least = spread * (one + _DOUBT), spread * (one - _DOUBT)
            while i < j and location - (d[i, p] - base) > low * most:
                i += 1
            while i < j and (d[j - 1, p] - base) - location > high * most:
                j -= 1
            sure &= i < j and location - (d[i, p] - base) < low * least
            sure &= i < j and (d[j - 1, p] - base) - location < high * least
        more = sure and _FEWEST <= j - i < left
        first[p], end[p] = i if sure else 0, j if sure else d.shape[0]
        active[p] = more or not sure
        if more:
            places[going] = p
            going += 1
    return going


@njit
def _move(left, some, moves, lanes):
    """Move the pixels that have not settled to the front; return their places."""
    going = 0
    for q in range(len(some)):
        some[going], moves[going] = some[q], q
        going += int(lanes[_STATE + q] < _SETTLED)
    for row in range(0, SAMPLES + left * AT_ONCE, AT_ONCE):
        for q in range(going):
            lanes[row + q] = lanes[row + moves[q]]
    lanes[_STATE + going : _STATE + padded(going)] = _SETTLED
    return some[:going]
