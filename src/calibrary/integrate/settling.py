"""One pixel at a time: what a method rejects.

For the few pixels in which something may be rejected, or a sample is missing.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np
from numba import njit

from calibrary.integrate.compiling import borrowed, top_level
from calibrary.integrate.methods import MEDIAN, ZERO_IS_MISSING, reject
from calibrary.integrate.rejections import median_of, sums_about

_BY_FRAME = 0
"""Row of the room: samples in the order of the frames."""


@top_level
def settle(family, rule, tile, s, places, flags, ratio, column, chosen, out) -> int:
    """Find what some pixels of a tile keep, and combine those that are odd.

    Odd is a pixel with a missing sample, or whose kept samples no limits tell from the rejected
    ones: they have gaps, or one equals a rejected one.

    Parameters
    ----------
    family, rule
        See `methods.reject`.
    tile, s
        Samples by frame, and sorted where none is missing.
    places
        Places of the pixels. Receives, from the front, those of the odd ones.
    flags
        Whether the method has to find the range of a pixel, and whether a sample is missing.
    ratio
        Noise ratio of the row.
    column
        Room for one pixel: samples, work and marks.
    chosen
        First and end of the range of sorted samples kept, and lowest and highest of them, of each
        pixel: filled in, but left as they are, all of the samples, for odd ones.
    out
        Means of the odd pixels, in the order of `places`; ``[3, frames]``, added to for odd
        pixels: rejected low, rejected high, not finite; pixels by the number of samples kept,
        added to; ``[frames, pixels]``, gets 1 for samples of odd pixels that do not count.

    Returns
    -------
    odd
        How many pixels are odd.
    """
    rule = rule[0], borrowed(rule[1]), borrowed(rule[2])
    tile, s = borrowed(tile), borrowed(s)
    column = borrowed(column[0]), borrowed(column[1]), borrowed(column[2])
    out = borrowed(out[0]), borrowed(out[1]), borrowed(out[2]), borrowed(out[3])
    active, missing = borrowed(flags[0]), borrowed(flags[1])
    first, end, lowest, highest = chosen
    samples, room, all_marks = column
    n, odd = tile.shape[0], 0
    for p in places:
        i, j, count = first[p], end[p], n
        first[p], end[p] = 0, n
        if missing[p]:
            count = _take_valid(rule, tile, p, column, out)
        else:
            for k in range(n):
                samples[k] = s[k, p]
        x, marks = samples[:count], all_marks[:count]
        if rule[0] != MEDIAN and count > 0 and (active[p] or missing[p]):
            marks[:] = 0
            i, j = reject(family, rule, x, n, ratio, room, marks)
            if i >= j >= 0 or (i < 0 and np.count_nonzero(marks) == count):
                i, j = 0, count  # If all would go, none does.
        if missing[p] or i < 0 or (i > 0 and x[i - 1] == x[i]) or (j < n and x[j - 1] == x[j]):
            out[0][odd], kept = _combine(rule, tile, p, x, i, j, column, out)
            places[odd] = p
            odd += 1
        else:
            first[p], end[p], kept = i, j, j - i
            lowest[p], highest[p] = s[i, p], s[j - 1, p]
        out[2][kept] += 1
    return odd


@njit
def _combine(rule, tile, p, x, first, end, column, out):
    """Return the mean of what is kept of the valid samples of one pixel, and how many these are."""
    _, room, marks = column
    _, counted, _, rejected = out
    n, count = tile.shape[0], len(x)
    if count == 0:
        return 0.0 if rule[1][ZERO_IS_MISSING] != 0.0 else np.nan, 0
    if rule[0] == MEDIAN:
        return median_of(x, 0, count), count
    for f in range(n):
        room[_BY_FRAME, f] = tile[f, p]
    total, kept = sums_about(x, x[0])[0], count
    for k in range(count):
        low = k < first if first >= 0 else marks[k] < 0
        high = k >= end if first >= 0 else marks[k] > 0
        if low or high:
            total -= _take_out(x, k, int(high), room, n, p, counted, rejected)
            kept -= 1
    return x[0] + total / kept, kept


@njit
def _take_out(x, k, side, room, n, p, counted, rejected):
    """Reject a sample in the first frame that has it; return how much it is above the lowest."""
    frame = n
    for f in range(n):
        frame = min(frame, f if room[_BY_FRAME, f] == x[k] else n)
    room[_BY_FRAME, frame] = np.nan
    rejected[frame, p] = 1
    counted[side, frame] += 1
    return x[k] - x[0]


@njit
def _take_valid(rule, tile, p, column, out):
    """Take the valid samples of a pixel, sorted; return their number."""
    samples, zero_is_missing = column[0], rule[1][ZERO_IS_MISSING] != 0.0
    _, counted, _, rejected = out
    count = 0
    for f in range(tile.shape[0]):
        value = tile[f, p]
        if value - value != 0 or (zero_is_missing and value == 0):
            counted[2, f] += 1
            rejected[f, p] = 1
            continue
        k = count
        while k > 0 and samples[k - 1] > value:
            samples[k] = samples[k - 1]
            k -= 1
        samples[k] = value
        count += 1
    return count
