"""Many pixels at a time: loading, sorting, adding up and comparing halves of a tile.

A tile is a piece of an image row, some hundred pixels, with the samples of all frames: arrays
``[frames, pixels]`` that stay in the processor's nearest caches. Every inner loop runs along the
pixels and touches few arrays, so that the compiler can do many of them with one instruction. No
sum goes across pixels.

Numba's functions carry no types of their own here: each is compiled for 16-bit integers and for
float32.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calibrary.integrate.exchanges import exchanger
from calibrary.integrate.network import PATTERNS

_BYTE = np.uint16(8)
_exchange_0, _exchange_1, _exchange_2, _exchange_3, _exchange_4, _exchange_5 = (
    exchanger(pattern) for pattern in PATTERNS
)


@njit
def load(source, at, row, stage, tile) -> None:
    """Fill `tile` with the samples of a piece of a row, from pixel `at` of the band on.

    `source` is what `Job` holds of a band: stored 16-bit samples or samples in ADU, each
    ``[frames, pixels of the band]`` and one of them empty; whether bytes are swapped; the sign
    bit; the calibrator; factors by frame and plane; the planes of each row; whether to round to
    whole ADU. `stage` is room for the stored samples of a tile.
    """
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
def copy(tile, s) -> None:
    """Copy a tile to the first rows of `s`."""
    for f in range(tile.shape[0]):
        x, y = tile[f], s[f]
        for p in range(s.shape[1]):
            y[p] = x[p]


@njit
def sort(s, network, highest) -> None:
    """Sort the samples of every pixel.

    Parameters
    ----------
    s
        ``[frames + 1, pixels]``; the last row is room.
    network
        See `network.sorting_network`.
    highest
        No sample is above it.
    """
    s[s.shape[0] - 1, :] = highest
    for k in range(network.shape[0]):
        pattern = network[k, 0]
        if pattern == 0:
            _exchange_0(s, network, k)
        elif pattern == 1:
            _exchange_1(s, network, k)
        elif pattern == 2:
            _exchange_2(s, network, k)
        elif pattern == 3:
            _exchange_3(s, network, k)
        elif pattern == 4:
            _exchange_4(s, network, k)
        else:
            _exchange_5(s, network, k)


@njit
def subtract(s, centre, d) -> None:
    """Write the samples less the `centre` of their pixel to `d`, float32."""
    for f in range(d.shape[0]):
        x, y = s[f], d[f]
        for p in range(centre.shape[0]):
            y[p] = np.float32(x[p]) - centre[p]


@njit
def find_missing(tile, zero_is_missing, missing) -> None:
    """Mark the pixels with a sample that is not finite, or 0 where that means missing."""
    missing[:] = False
    for f in range(tile.shape[0]):
        x = tile[f]
        for p in range(missing.shape[0]):
            missing[p] |= x[p] - x[p] != 0  # Infinity less itself is no number.
        if zero_is_missing:
            for p in range(missing.shape[0]):
                missing[p] |= x[p] == 0


@njit
def add_up(tile, lowest, highest, centre, total, counted) -> None:
    """Add up the samples of each pixel from `lowest` to `highest`, each less its `centre`.

    ``total[pixels]`` gets the sums; ``counted[0, frame]`` and ``counted[1, frame]`` grow by the
    samples below and above.
    """
    total[:] = 0
    for f in range(tile.shape[0]):
        x = tile[f]
        low, high = np.int32(0), np.int32(0)
        for p in range(total.shape[0]):
            below, above = x[p] < lowest[p], x[p] > highest[p]
            off = np.float32(x[p]) - centre[p]
            total[p] += np.float32(0) if below | above else off
            low, high = np.int32(low + np.int32(below)), np.int32(high + np.int32(above))
        counted[0, f] += low
        counted[1, f] += high


@njit
def mark_outside(tile, lowest, highest, rejected) -> None:
    """Mark the samples below `lowest` or above `highest` of their pixel too."""
    for f in range(tile.shape[0]):
        x, gone = tile[f], rejected[f]
        for p in range(lowest.shape[0]):
            gone[p] |= (x[p] < lowest[p]) | (x[p] > highest[p])


@njit
def compare_halves(tile, rejected, centre, checkpoints, room, halves) -> None:
    """Write (odd mean - even mean) of the kept samples of each pixel, after so many frames.

    It is scaled to the noise of the mean of all: for k odd and m even frames the factor is
    sqrt(k m) / (k + m), 1/2 for equal halves. NaN where a half has no sample.

    Parameters
    ----------
    rejected
        ``[frames, pixels]``, not 0 where a sample does not count.
    checkpoints
        Numbers of frames after which ``halves[i]`` is written.
    room
        float32, ``[4 or more, pixels]``.
    """
    room[:4] = 0
    reached = 0
    for f in range(tile.shape[0]):
        x, gone, total, count = tile[f], rejected[f], room[f & 1], room[2 + (f & 1)]
        for p in range(x.shape[0]):
            if gone[p] == 0:
                total[p] += np.float32(x[p]) - centre[p]
                count[p] += np.float32(1)
        if reached < checkpoints.shape[0] and checkpoints[reached] == f + 1:
            out = halves[reached]
            for p in range(x.shape[0]):
                k, m = np.float64(room[2, p]), np.float64(room[3, p])
                out[p] = np.nan
                if k > 0 and m > 0:
                    difference = room[0, p] / k - room[1, p] / m
                    out[p] = difference * math.sqrt(k * m) / (k + m)
            reached += 1
