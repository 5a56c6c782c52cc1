"""The compiled inner loop: many pixels at a time, from raw samples to master and counts.

A tile is a piece of an image row, some hundred pixels, with the samples of all frames; it stays
in the processor's nearest caches. Per tile: load (`_load_integers`, `_load_floats`), sort all
pixels at once (`_sort`), find the pixels in which something may be rejected (`screens`), hand
those to the methods of `rejections` and `siril` in groups (`_clip_pixels`), and go through the
samples once more to count, add up and compare odd with even frames (`_tally`).

Nothing is added up across pixels but integers, and the samples of a pixel always in the order of
the frames: the result depends neither on tiles and bands nor on the number of threads. There is
no fast mathematics, so that every processor gives the same bits.

Arrays are ``[frames, pixels]`` unless said otherwise. Numba's functions carry no types of
their own here: each is compiled for 16-bit integers and for float32.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import boolean, float32, float64, int8, int32, int64, njit, uint16, void
from numba.types import Tuple, UniTuple

from calibrary.integrate import rejections
from calibrary.integrate.compiling import compile_once
from calibrary.integrate.methods import (
    KEEP_ALL,
    METHOD_TYPE,
    SCREEN_TYPE,
    SCREENED,
    TAKE_MEDIAN,
    ZERO_IS_MISSING,
)

_GROUP = 128
"""Pixels that a method is handed at a time: in double precision they still fit near caches."""
_BYTE = np.uint16(8)
_CLAIMED = np.int8(2)
"""Mark of a sample that has been found among those of the frames."""


@njit
def _load_integers(raw, at, swapped, flip, tile):
    """Fill `tile` with unsigned 16-bit samples from stored ones: byte order, sign bit."""
    size = tile.shape[1]
    for f in range(raw.shape[0]):
        source, target = raw[f, at : at + size], tile[f]
        if swapped:
            for p in range(size):
                v = source[p]
                target[p] = np.uint16(np.uint16(v << _BYTE) | np.uint16(v >> _BYTE)) ^ flip
        else:
            for p in range(size):
                target[p] = source[p] ^ flip


@njit
def _calibrate(raw, at, dark, factors, planes, whole, tile):
    """Fill `tile` with (sample - dark) times the factor of frame and plane, ADU.

    `raw` is in ADU, of any type; ``dark[pixels]`` is empty where nothing is subtracted;
    ``factors[frame, plane]``; `planes` are those of the even and of the odd columns. `whole`
    rounds to whole ADU, as Siril does with 16-bit frames.
    """
    size = tile.shape[1]
    subtract = dark.shape[0] > 0
    for f in range(raw.shape[0]):
        source, target = raw[f, at : at + size], tile[f]
        even, odd = factors[f, planes[0]], factors[f, planes[1]]
        if whole:
            for p in range(size):
                v = math.floor(np.float64(source[p]) * (odd if p & 1 else even) + 0.5)
                target[p] = min(max(v, 0.0), 65535.0)
            continue
        even32, odd32 = np.float32(even), np.float32(odd)
        if subtract:
            for p in range(size):
                v = np.float32(source[p]) - dark[p]
                target[p] = v * (odd32 if p & 1 else even32)
        else:
            for p in range(size):
                target[p] = np.float32(source[p]) * (odd32 if p & 1 else even32)


@njit
def _load(source, at, row, stage, tile):
    """Fill `tile` with the samples of a piece of a row, from pixel `at` of the band on."""
    integers, floats, swapped, flip, calibrator, factors, row_planes, whole = source
    dark = calibrator[at : at + tile.shape[1]]
    if floats.shape[1] > 0:
        _calibrate(floats, at, dark, factors, row_planes[row], whole, tile)
    elif factors.shape[0] == 0:
        _load_integers(integers, at, swapped, flip, tile)
    else:
        _load_integers(integers, at, swapped, flip, stage)
        _calibrate(stage, 0, dark, factors, row_planes[row], whole, tile)


@njit
def _sort(tile, s, pairs):
    """Copy a tile to `s` and sort the samples of every pixel there."""
    for f in range(s.shape[0]):
        x, y = tile[f], s[f]
        for p in range(s.shape[1]):
            y[p] = x[p]
    for c in range(pairs.shape[0]):
        a, b = s[pairs[c, 0]], s[pairs[c, 1]]
        for p in range(s.shape[1]):
            x, y = a[p], b[p]
            a[p] = min(x, y)
            b[p] = max(x, y)


@njit
def _reject(rule, y, count, total, ratio, group):
    """Apply the method to the sorted samples of some pixels; if all of one would go, none does.

    Leaves the marks and, in ``group.sides``, the numbers of samples rejected low and high, and
    whether there are any between kept ones.
    """
    _, method, _, par, critical = rule
    column, _, all_marks, sides = group
    n = y.shape[0]
    marks, low, high, mixed = all_marks[:n], sides[0], sides[1], sides[2]
    for k in range(n):
        marks[k, :count] = 0
    method(y, count, total, par, critical, ratio, column, marks)
    sides[:, :count] = 0
    for k in range(n):
        mark, before = marks[k], marks[max(k - 1, 0)]
        for j in range(count):
            low[j] += np.int32(mark[j] < 0)
            high[j] += np.int32(mark[j] > 0)
            mixed[j] |= np.int32(mark[j] < before[j])
    for j in range(count):
        if low[j] + high[j] == n:
            marks[:, j] = 0
            sides[:, j] = 0


@njit
def _set_limits(s, p, first, end, lowest, highest, ties):
    """Note the lowest and highest kept sample of a pixel; return whether equal ones are not."""
    n = s.shape[0]
    lowest[p], highest[p] = s[first, p], s[end - 1, p]
    k = first - 1
    while k >= 0 and s[k, p] == lowest[p]:
        ties[0, p] += 1
        k -= 1
    k = end
    while k < n and s[k, p] == highest[p]:
        ties[1, p] += 1
        k += 1
    return ties[0, p] > 0 or ties[1, p] > 0


@njit
def _clip_pixels(rule, s, active, ratio, lowest, highest, ties, places, group):
    """Run the method on the marked pixels of a sorted tile.

    Sets the lowest and highest kept sample of each pixel, and how many samples equal to them
    are rejected (``ties[0]``, ``ties[1]``). A pixel stays marked only if samples between kept
    ones are rejected. Returns whether there are ties.
    """
    n = s.shape[0]
    y, sides = group[1], group[3]
    marked = 0
    for p in range(s.shape[1]):
        if active[p]:
            places[marked] = p
            marked += 1
    tied = False
    for start in range(0, marked, _GROUP):
        count = min(marked - start, _GROUP)
        for f in range(n):
            for j in range(count):
                y[f, j] = s[f, places[start + j]]
        _reject(rule, y, count, n, ratio, group)
        for j in range(count):
            p = places[start + j]
            active[p] = sides[2, j] != 0
            if not active[p]:
                end = n - sides[1, j]
                tied |= _set_limits(s, p, sides[0, j], end, lowest, highest, ties)
    return tied


@njit
def _tally(tile, f, lowest, highest, centre, sums, counts):
    """Add the kept samples of frame `f`, less `centre`; return how many were rejected."""
    x, total, count = tile[f], sums[f & 1], counts[f & 1]
    low = np.int32(0)
    high = np.int32(0)
    for p in range(x.shape[0]):
        below = x[p] < lowest[p]
        above = x[p] > highest[p]
        low += np.int32(below)
        high += np.int32(above)
        kept = not (below or above)
        total[p] += (np.float32(x[p]) - centre[p]) if kept else np.float32(0)
        count[p] += np.int32(kept)
    return low, high


@njit
def _tally_tied(tile, f, lowest, highest, ties, centre, sums, counts):
    """Do what `_tally` does where some of several equal samples are rejected: the first ones."""
    x, total, count = tile[f], sums[f & 1], counts[f & 1]
    first, last = ties[0], ties[1]
    low = np.int32(0)
    high = np.int32(0)
    for p in range(x.shape[0]):
        as_lowest = (x[p] == lowest[p]) & (first[p] > 0)
        as_highest = (x[p] == highest[p]) & (last[p] > 0) & (not as_lowest)
        first[p] -= np.int32(as_lowest)
        last[p] -= np.int32(as_highest)
        below = (x[p] < lowest[p]) | as_lowest
        above = (x[p] > highest[p]) | as_highest
        low += np.int32(below)
        high += np.int32(above)
        kept = not (below | above)
        total[p] += (np.float32(x[p]) - centre[p]) if kept else np.float32(0)
        count[p] += np.int32(kept)
    return low, high


@njit
def _half_difference(sums, counts, out):
    """Write (odd mean - even mean), scaled to the noise of the mean of all, for each pixel.

    For k odd and m even frames the factor is sqrt(k m) / (k + m): 1/2 for equal halves.
    """
    for p in range(out.shape[0]):
        k, m = counts[0, p], counts[1, p]
        if k > 0 and m > 0:
            difference = sums[0, p] / k - sums[1, p] / m
            out[p] = difference * math.sqrt(float(k) * m) / (k + m)
        else:
            out[p] = np.nan


@njit
def _insertion_sort(x):
    """Sort the samples of one pixel."""
    for k in range(1, x.shape[0]):
        value, at = x[k], k
        while at > 0 and x[at - 1] > value:
            x[at] = x[at - 1]
            at -= 1
        x[at] = value


@njit
def _irregular_pixel(rule, tile, p, ratio, group, counted):
    """Combine one pixel whose samples are not all valid, or not rejected from the ends only.

    Returns the mean, the number of samples kept and whether any was valid; adds to
    ``counted[:, frame]``: rejected low, rejected high, not finite.
    """
    mode, _, _, par, _ = rule
    column, room, marks, _ = group
    n = tile.shape[0]
    valid = 0
    for f in range(n):
        if _is_missing(tile[f, p], par):
            counted[2, f] += 1
        else:
            column[valid] = tile[f, p]
            valid += 1
    if valid == 0:
        return (0.0 if par[ZERO_IS_MISSING] != 0.0 else np.nan), 0
    _insertion_sort(column[:valid])
    if mode == TAKE_MEDIAN:
        return rejections.median_of(column, 0, valid), valid
    y = room[:valid]
    for k in range(valid):
        y[k, 0] = column[k]
    _reject(rule, y, 1, n, ratio, group)
    total, kept = 0.0, 0
    for f in range(n):
        value = tile[f, p]
        if _is_missing(value, par):
            continue
        k = 0
        while y[k, 0] != value or marks[k, 0] == _CLAIMED:
            k += 1
        if marks[k, 0] < 0:
            counted[0, f] += 1
        elif marks[k, 0] > 0:
            counted[1, f] += 1
        else:
            total += value - y[0, 0]
            kept += 1
        marks[k, 0] = _CLAIMED
    return y[0, 0] + total / kept, kept


@njit
def _is_missing(value, par):
    return value - value != 0 or (par[ZERO_IS_MISSING] != 0.0 and value == 0)


@njit
def _find_missing(tile, par, missing):
    """Mark the pixels with a sample that is not finite, or 0 where that means missing."""
    zero_is_missing = par[ZERO_IS_MISSING] != 0.0
    for p in range(missing.shape[0]):
        missing[p] = False
    for f in range(tile.shape[0]):
        x = tile[f]
        if zero_is_missing:
            for p in range(missing.shape[0]):
                missing[p] |= x[p] == 0
        for p in range(missing.shape[0]):
            # Infinity less itself is not a number.
            missing[p] |= x[p] - x[p] != 0


@njit
def _find_active(rule, s, centre, work, d, active):
    """Mark the pixels of a sorted tile that the method has to look at."""
    mode, _, screen, par, _ = rule
    if mode in (KEEP_ALL, TAKE_MEDIAN):
        active[:] = False
    elif mode == SCREENED and s.shape[0] > 2:
        for f in range(s.shape[0]):
            x, y = s[f], d[f]
            for p in range(s.shape[1]):
                y[p] = np.float32(x[p]) - centre[p]
        screen(d, par, work, active)
    else:
        active[:] = True


@njit
def _combine(rule, tile, s, extremes, ratio, scratch, checkpoints, halves, counted):
    """Reject in one loaded tile, and add up what is kept.

    Leaves in `scratch`: the centre of each pixel (``work[0]``), the sums of kept samples less
    that centre and their numbers, each for even and odd frames, and which pixels `_finish` has
    to look at again (``active``).

    Parameters
    ----------
    tile, s
        The samples by frame, and sorted.
    extremes
        The smallest and largest number of their type.
    checkpoints
        Numbers of frames after which the half difference is written to ``halves[i]``.
    counted
        ``[3, frames]``: rejected low, rejected high, not finite; added to.
    """
    active, missing, work, d, sums, counts, ties, lowest, highest, places, group = scratch
    n, size = tile.shape
    for p in range(size):
        lowest[p], highest[p] = extremes
        for side in range(2):
            ties[side, p], sums[side, p], counts[side, p] = 0, 0, 0
        work[0, p] = np.float32(s[(n - 1) // 2, p])
    _find_missing(tile, rule[3], missing)
    _find_active(rule, s, work[0], work[1:], d, active)
    for p in range(size):
        active[p] &= not missing[p]
    tied = _clip_pixels(rule, s, active, ratio, lowest, highest, ties, places, group)
    reached = 0
    for f in range(n):
        if tied:
            low, high = _tally_tied(tile, f, lowest, highest, ties, work[0], sums, counts)
        else:
            low, high = _tally(tile, f, lowest, highest, work[0], sums, counts)
        counted[0, f] += low
        counted[1, f] += high
        if reached < checkpoints.shape[0] and checkpoints[reached] == f + 1:
            _half_difference(sums, counts, halves[reached])
            reached += 1
    for p in range(size):
        active[p] |= missing[p]


@njit
def _finish(rule, tile, s, ratio, scratch, halves, counted, master, kept_counts):
    """Write the master of a tile, and count its pixels by the number of samples kept."""
    active, _, work, _, sums, counts, _, _, _, _, group = scratch
    n = tile.shape[0]
    for p in range(tile.shape[1]):
        kept = counts[0, p] + counts[1, p]
        if active[p]:
            master[p], kept = _irregular_pixel(rule, tile, p, ratio, group, counted)
            for k in range(halves.shape[0]):
                halves[k, p] = np.nan
        elif rule[0] == TAKE_MEDIAN:
            master[p] = 0.5 * (np.float64(s[(n - 1) // 2, p]) + np.float64(s[n // 2, p]))
        else:
            total = np.float64(sums[0, p]) + np.float64(sums[1, p])
            master[p] = np.float64(work[0, p]) + total / kept
        kept_counts[kept] += 1


@njit
def _stack_row(rule, pairs, tiles, extremes, source, at, row, width, ratio, sampled, out):
    """Integrate one image row of a band, tile by tile.

    Parameters
    ----------
    rule
        How to go about it, the method, its parameters and critical values; see `methods`.
    pairs
        The sorting network.
    tiles
        Twice (stage, samples, sorted samples, scratch): for full tiles, and for what is left of a
        row.
    source
        Stored samples ``[frames, pixels of the band]`` and all that `_load` needs beside them.
    at, row
        First pixel of the row in the band; its number in the band.
    sampled
        Checkpoints and half differences ``[checkpoint, column]`` of this row; empty for most.
    out
        Master ``[pixels of the band]``, counts by frame, counts by number of samples kept.
    """
    checkpoints, halves = sampled
    master, counted, kept_counts = out
    first = 0
    while first < width:
        stage, tile, s, scratch = tiles[0 if first + tiles[0][0].shape[1] <= width else 1]
        last = first + tile.shape[1]
        _load(source, at + first, row, stage, tile)
        _sort(tile, s, pairs if rule[0] != KEEP_ALL else pairs[:0])
        part = halves[:, first:last]
        _combine(rule, tile, s, extremes, ratio, scratch, checkpoints, part, counted)
        goal = master[at + first : at + last]
        _finish(rule, tile, s, ratio, scratch, part, counted, goal, kept_counts)
        first = last


@njit
def _stack_rows(rule, pairs, ratios, extremes, tiles, source, width, sampling, out):
    """Integrate the rows of a band; see `_stack_row`."""
    sampled_rows, checkpoints, halves = sampling
    for row in range(sampled_rows.shape[0]):
        k = sampled_rows[row]
        sampled = (checkpoints, halves[:, k]) if k >= 0 else (checkpoints[:0], halves[:0, 0])
        _stack_row(
            rule, pairs, tiles, extremes, source, row * width, row, width, ratios[row], sampled, out
        )


def _tile_set(sample):
    """Return the type of what `working_arrays` makes for tiles of `sample`."""
    group = Tuple((float64[::1], float64[:, ::1], int8[:, ::1], int32[:, ::1]))
    scratch = (
        boolean[::1], boolean[::1], float32[:, ::1], float32[:, ::1], float32[:, ::1],
        int32[:, ::1], int32[:, ::1], sample[::1], sample[::1], int64[::1], group,
    )  # fmt: skip
    return UniTuple(Tuple((uint16[:, ::1], sample[:, ::1], sample[:, ::1], Tuple(scratch))), 2)


_RULE = Tuple((int64, METHOD_TYPE, SCREEN_TYPE, float64[::1], float64[::1]))
_SOURCE = Tuple(
    (uint16[:, ::1], float32[:, ::1], boolean, uint16, float32[::1], float64[:, ::1],
     int32[:, ::1], boolean)
)  # fmt: skip
_SAMPLING = Tuple((int32[::1], int32[::1], float32[:, :, ::1]))
_OUT = Tuple((float32[::1], int64[:, ::1], int64[::1]))


def _signature(sample):
    network, ratios = int32[:, ::1], float64[::1]
    return void(_RULE, network, ratios, _tile_set(sample), _SOURCE, int64, _SAMPLING, _OUT)


def stack_integers(rule, pairs, ratios, tiles, source, width, sampling, out) -> None:
    """Integrate rows of frames with unsigned 16-bit samples, as they are; see `_stack_row`."""
    extremes = (np.uint16(0), np.uint16(65535))
    _stack_rows(rule, pairs, ratios, extremes, tiles, source, width, sampling, out)


def stack_floats(rule, pairs, ratios, tiles, source, width, sampling, out) -> None:
    """Integrate rows of frames in float32, calibrated and scaled; see `_stack_row`."""
    extremes = (np.float32(-np.inf), np.float32(np.inf))
    _stack_rows(rule, pairs, ratios, extremes, tiles, source, width, sampling, out)


@cache
def compiled_kernel(integers: bool) -> Callable[..., None]:
    """Return `stack_integers` or `stack_floats`, compiled when first asked for."""
    if integers:
        return compile_once(_signature(uint16))(stack_integers)
    return compile_once(_signature(float32))(stack_floats)


def working_arrays(integers: bool, n: int, width: int, tile_width: int) -> tuple[Any, ...]:
    """Return the two sets of working arrays of a kernel: for full tiles, and for the rest.

    They belong to one thread at a time.
    """
    sample = np.uint16 if integers else np.float32
    size = min(tile_width, width)
    return tuple(_set(sample, n, pixels) for pixels in (size, max(width % size, 1)))


def _set(sample, n, pixels):
    shape = (n, pixels)
    group = (
        np.empty(n),
        np.empty((n, _GROUP)),
        np.empty((n, _GROUP), np.int8),
        np.empty((3, _GROUP), np.int32),
    )
    scratch = (
        np.empty(pixels, np.bool_),
        np.empty(pixels, np.bool_),
        np.empty((6, pixels), np.float32),
        np.empty(shape, np.float32),
        np.empty((2, pixels), np.float32),
        np.empty((2, pixels), np.int32),
        np.empty((2, pixels), np.int32),
        np.empty(pixels, sample),
        np.empty(pixels, sample),
        np.empty(pixels, np.int64),
        group,
    )
    return np.empty(shape, np.uint16), np.empty(shape, sample), np.empty(shape, sample), scratch
