"""One pixel at a time: what a method rejects, of which frames, and the mean of the rest.

For the few pixels in which something may be rejected, or a sample is missing.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np
from numba import njit

from calibrary.integrate.compiling import borrowed
from calibrary.integrate.methods import MEDIAN, ZERO_IS_MISSING, reject
from calibrary.integrate.rejections import median_of, sums_about

_BY_FRAME = 0
"""Row of the room: samples in the order of the frames."""


@njit
def find_limits(rule, s, places, flags, ratio, column, chosen) -> int:
    """Find between which limits the samples lie that some pixels of a tile keep.

    Parameters
    ----------
    rule
        Number of the method, its parameters, its critical values; see `methods`.
    s
        Sorted samples.
    places
        Places of the pixels. Receives, from the front, the places of those that no limits
        describe: a sample is missing, or what is kept has gaps or equals what is rejected.
    flags
        Whether the method has to find the range of a pixel, and whether a sample is missing.
    ratio
        Noise ratio of the row.
    column
        Room for one pixel: samples, work and marks.
    chosen
        First and end of the range of sorted samples kept, and lowest and highest of them, of each
        pixel: filled in, but left as they are, all of the samples, where limits do not do. Pixels
        by the number of samples kept, added to.

    Returns
    -------
    odd
        How many places of pixels were put into `places`.
    """
    rule = rule[0], borrowed(rule[1]), borrowed(rule[2])
    x, room, marks = borrowed(column[0]), borrowed(column[1]), borrowed(column[2])
    s, active, missing = borrowed(s), borrowed(flags[0]), borrowed(flags[1])
    first, end, lowest, highest, kept_counts = chosen
    n, odd = s.shape[0], 0
    for p in places:
        i, j = first[p], end[p]
        if active[p] and not missing[p]:
            for k in range(n):
                x[k] = s[k, p]
            marks[:] = 0
            i, j = reject(rule, x, n, ratio, room, marks)
        plain = 0 <= i < j and not missing[p]
        if plain and i > 0:
            plain = s[i - 1, p] < s[i, p]
        if plain and j < n:
            plain = s[j - 1, p] < s[j, p]
        if plain:
            first[p], end[p] = i, j
            lowest[p], highest[p] = s[i, p], s[j - 1, p]
            kept_counts[j - i] += 1
        else:
            first[p], end[p] = 0, n
            places[odd] = p
            odd += 1
    return odd


@njit
def settle(rule, tile, s, places, missing, ratio, column, out) -> None:
    """Combine some pixels of a tile one by one, whatever is missing or rejected.

    Parameters
    ----------
    rule, s, places, ratio, column
        As of `find_limits`.
    tile
        Samples by frame.
    missing
        For each pixel of the tile, whether a sample is missing.
    out
        Master; ``[3, frames]``, added to: rejected low, rejected high, not finite; pixels by the
        number of samples kept, added to; ``[frames, pixels]``, gets 1 for samples that do not
        count.
    """
    rule = rule[0], borrowed(rule[1]), borrowed(rule[2])
    tile, s = borrowed(tile), borrowed(s)
    column = borrowed(column[0]), borrowed(column[1]), borrowed(column[2])
    out = borrowed(out[0]), borrowed(out[1]), borrowed(out[2]), borrowed(out[3])
    for p in places:
        if missing[p]:
            count = _take_valid(rule, tile, p, column, out)
        else:
            count = tile.shape[0]
            for k in range(count):
                column[0][k] = s[k, p]
        kept = _combine_pixel(rule, tile, p, count, ratio, column, out)
        out[2][kept] += 1


@njit
def _combine_pixel(rule, tile, p, count, ratio, column, out):
    """Combine the `count` valid samples of one pixel; return the number of samples kept."""
    samples, room, all_marks = column
    master, counted, _, rejected = out
    n, x, marks = tile.shape[0], samples[:count], all_marks[:count]
    if count == 0:
        master[p] = 0.0 if rule[1][ZERO_IS_MISSING] != 0.0 else np.nan
        return 0
    if rule[0] == MEDIAN:
        master[p] = median_of(x, 0, count)
        return count
    marks[:] = 0
    first, end = reject(rule, x, n, ratio, room, marks)
    if first >= end >= 0 or (first < 0 and np.count_nonzero(marks) == count):
        first, end = 0, count  # If all would go, none does.
    for f in range(n):
        room[_BY_FRAME, f] = tile[f, p]
    total, kept = sums_about(x, x[0])[0], count
    if first >= 0:
        for k in range(first):
            total -= _take_out(x, k, 0, room, n, p, counted, rejected)
        for k in range(end, count):
            total -= _take_out(x, k, 1, room, n, p, counted, rejected)
        kept = end - first
    else:
        for k in range(count):
            if marks[k] != 0:
                side = 0 if marks[k] < 0 else 1
                total -= _take_out(x, k, side, room, n, p, counted, rejected)
                kept -= 1
    master[p] = x[0] + total / kept
    return kept


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
