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
from calibrary.integrate.rejections import median_of


@njit
def settle(rule, tile, s, places, missing, ratio, column, out) -> None:
    """Combine some pixels of a tile.

    Parameters
    ----------
    rule
        Number of the method, its parameters, its critical values; see `methods`.
    tile, s
        Samples by frame, and sorted where none is missing.
    places
        Places of the pixels.
    missing
        For each pixel of the tile, whether a sample is missing.
    ratio
        Noise ratio of the row.
    column
        Room for one pixel: samples, work and marks.
    out
        Master, right already where nothing is rejected; ``[3, frames]``, added to: rejected low,
        rejected high, not finite; pixels by the number of samples kept, added to;
        ``[frames, pixels]``, gets 1 for samples that do not count.
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
        kept = _combine(rule, tile, p, count, ratio, column, out)
        out[2][kept] += 1


@njit
def _combine(rule, tile, p, count, ratio, column, out):
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
    if first >= 0:
        if first >= end:
            first, end = 0, count  # If all would go, none does.
        if end - first == n:
            return n
        for k in range(count):
            marks[k] = int(k >= end) - int(k < first)
    total, kept = 0.0, 0
    for k in range(count):
        if marks[k] == 0:
            total += x[k] - x[0]
            kept += 1
        else:
            f = _frame_of(tile, p, x[k], rejected)
            rejected[f, p] = 1
            counted[0 if marks[k] < 0 else 1, f] += 1
    master[p] = x[0] + total / kept
    return kept


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


@njit
def _frame_of(tile, p, value, rejected):
    """Return the first frame with this sample that is not rejected yet."""
    f = 0
    while tile[f, p] != value or rejected[f, p] != 0:
        f += 1
    return f
