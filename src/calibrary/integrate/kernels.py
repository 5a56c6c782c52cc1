"""The compiled inner loop: an image row, tile by tile, from raw samples to master and counts.

Per tile: load and sort all pixels at once (`tiles`); find the pixels in which something may be
rejected (`screens`), and what, for many at once (`lanes` and the modules that use it) or one by one
(`settling`), as `rejections`, `lines` and `siril` define it; add up what is left, all pixels at
once again.

Nothing is added up across pixels but integers, and the samples of a pixel always in the same
order: the result depends neither on tiles and bands nor on the number of threads. There is no
fast mathematics, so that every processor gives the same bits.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import boolean, float32, float64, int8, int32, int64, uint8, uint16, void
from numba.types import Tuple, UniTuple

from calibrary.integrate import lanes, methods, screens, tiles
from calibrary.integrate.compiling import compile_once, top_level
from calibrary.integrate.rejections import ROOMS
from calibrary.integrate.settling import settle


@top_level
def _combine_tile(
    family, rule, network, tile, s, ratio, scratch, sampled, master, counted, kept_counts
):
    """Integrate one loaded and sorted tile."""
    flags, places, ranges, limits, widest, sums, rooms, d, rejected, column = scratch
    active, missing = flags
    first, end = ranges
    lowest, highest = limits
    centre, total, means = sums
    checkpoints, halves = sampled
    n, size = tile.shape
    centre[:] = s[(n - 1) // 2]
    first[:], end[:] = 0, n
    lowest[:], highest[:] = widest
    tiles.find_missing(tile, rule[1][methods.ZERO_IS_MISSING] != 0.0, missing)
    if rule[0] not in (methods.NONE, methods.MEDIAN):
        tiles.subtract(s, centre, d)
    methods.screen(family, rule, d, network, rooms, places, active, first, end)
    todo = 0
    for p in range(size):
        places[todo] = p
        todo += int(active[p] | missing[p] | (end[p] - first[p] < n))
    kept_counts[n] += size - todo
    if checkpoints.shape[0] > 0:
        rejected[:] = 0
    chosen = (first, end, lowest, highest)
    out = (means, counted, kept_counts, rejected)
    odd = settle(family, rule, tile, s, places[:todo], flags, ratio, column, chosen, out)
    tiles.add_up(tile, lowest, highest, centre, total, counted)
    for p in range(size):
        if rule[0] == methods.MEDIAN:
            master[p] = 0.5 * (np.float64(s[(n - 1) // 2, p]) + np.float64(s[n // 2, p]))
        else:
            master[p] = np.float64(centre[p]) + np.float64(total[p]) / (end[p] - first[p])
    for k in range(odd):
        master[places[k]] = means[k]
    if checkpoints.shape[0] > 0:
        tiles.mark_outside(tile, lowest, highest, rejected)
        tiles.compare_halves(tile, rejected, centre, checkpoints, rooms[0], halves)


@top_level
def _stack_row(family, rule, network, sets, source, at, row, width, ratio, sampled, out):
    """Integrate one image row of a band, tile by tile.

    Parameters
    ----------
    family, rule
        See `methods.reject`.
    network
        Steps that sort the samples of a pixel; see `network`.
    sets
        Two sets of working arrays (stage, samples, sorted samples, scratch): for full tiles, and
        for what is left of a row.
    source
        Stored samples and all that `tiles.load` needs beside them.
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
        stage, tile, s, scratch = sets[0 if first + sets[0][0].shape[1] <= width else 1]
        last = first + tile.shape[1]
        tiles.load(source, at + first, row, stage, tile)
        tiles.copy(tile, s)
        if rule[0] != methods.NONE:
            tiles.sort(s, network, scratch[4][1])
        part = (checkpoints, halves[:, first:last])
        goal = master[at + first : at + last]
        _combine_tile(
            family, rule, network, tile, s, ratio, scratch, part, goal, counted, kept_counts
        )
        first = last


@top_level
def _stack_rows(family, rule, network, ratios, sets, source, width, sampling, out):
    """Integrate the rows of a band; see `_stack_row`."""
    sampled_rows, checkpoints, halves = sampling
    for row in range(sampled_rows.shape[0]):
        k = sampled_rows[row]
        sampled = (checkpoints, halves[:, k]) if k >= 0 else (checkpoints[:0], halves[:0, 0])
        _stack_row(
            family, rule, network, sets, source, row * width, row, width, ratios[row], sampled, out
        )


def _tile_set(sample):
    """Return the type of what `working_arrays` makes for tiles of `sample`."""
    column = Tuple((float64[::1], float64[:, ::1], int8[::1]))
    scratch = (
        UniTuple(boolean[::1], 2), int32[::1], UniTuple(int32[::1], 2), UniTuple(sample[::1], 2),
        UniTuple(sample, 2), Tuple((float32[::1], float32[::1], float64[::1])),
        Tuple((float32[:, ::1], float32[::1], float32[::1])), float32[:, ::1], uint8[:, ::1],
        column,
    )  # fmt: skip
    return UniTuple(Tuple((uint16[:, ::1], sample[:, ::1], sample[:, ::1], Tuple(scratch))), 2)


_RULE = Tuple((int64, float64[::1], float64[::1]))
_SOURCE = Tuple(
    (uint16[:, ::1], float32[:, ::1], boolean, uint16, float32[::1], float64[:, ::1],
     int32[:, ::1], boolean)
)  # fmt: skip
_SAMPLING = Tuple((int32[::1], int32[::1], float32[:, :, ::1]))
_OUT = Tuple((float32[::1], int64[:, ::1], int64[::1]))


def _signature(sample):
    network, ratios = int32[:, ::1], float64[::1]
    return void(_RULE, network, ratios, _tile_set(sample), _SOURCE, int64, _SAMPLING, _OUT)


@cache
def compiled_kernel(integers: bool, family: int) -> Callable[..., None]:
    """Return a kernel, compiled when first asked for; its parameters are those of `_stack_rows`.

    Parameters
    ----------
    integers
        Whether the frames have unsigned 16-bit samples, which are used as they are; else they
        are float32, calibrated and scaled.
    family
        Of the methods of rejection, see `methods.family_of`.
    """

    def stack(rule, network, ratios, sets, source, width, sampling, out):
        _stack_rows(family, rule, network, ratios, sets, source, width, sampling, out)

    sample = uint16 if integers else float32
    return compile_once(_signature(sample), f"{sample}-{family}")(stack)


def working_arrays(integers: bool, n: int, width: int, tile_width: int) -> tuple[Any, ...]:
    """Return the two sets of working arrays of a kernel: for full tiles, and for the rest.

    They belong to one thread at a time.
    """
    sample = np.uint16 if integers else np.float32
    size = min(tile_width, width)
    return tuple(_set(sample, n, pixels) for pixels in (size, max(width % size, 1)))


def _set(sample, n, pixels):
    def room(kind, rows=None):
        return np.empty(pixels if rows is None else (rows, pixels), kind)

    widest = (0, 65535) if sample is np.uint16 else (-np.inf, np.inf)
    scratch = (
        (room(np.bool_), room(np.bool_)),
        room(np.int32),
        (room(np.int32), room(np.int32)),
        (room(sample), room(sample)),
        tuple(sample(limit) for limit in widest),
        (room(np.float32), room(np.float32), room(np.float64)),
        (room(np.float32, screens.WORK_ROWS), *lanes.rooms(n)),
        room(np.float32, n),
        room(np.uint8, n),
        (np.empty(n), np.empty((ROOMS, n + 1)), np.empty(n, np.int8)),
    )
    return room(np.uint16, n), room(sample, n), room(sample, n + 1), scratch
