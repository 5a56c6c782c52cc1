"""Quick looks at many pixels at once, for those in which a method may reject something.

A pixel that a screen does not mark loses nothing by the method's definition; what a marked one
loses is for the method to say. Most pixels of most stacks are cleared, at a fraction of the cost.

Every screen takes:

``d``
    Sorted samples less the lower median of their pixel, ADU, float32, ``[frames, pixels]``. A
    small number of digits is enough: sums carry a relative error below `frames` * 2e-7.
``work``
    Room, float32, ``[work_rows(frames), pixels]``.
``active``
    ``[pixels]``, receives the marks.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np
from numba import njit

from calibrary.integrate import tiles
from calibrary.integrate.rejections import (
    SN_FACTOR,
    WINSOR_CLAMP,
    WINSOR_CORRECTION,
    WINSOR_TOLERANCE,
    sn_correction,
)

MARGIN = np.float32(0.999)
"""Single precision clears a pixel only this far from the limit."""
_LANES = 5
"""Rows of the room with one number for each pixel; behind them are two for each frame
and one more."""
_ROUNDS = 10
"""Of winsorising: most pixels settle sooner, the others are left to the method."""
_ROUNDING = np.float32(1e-6)
"""Error of a residual in single precision, for each sample, as a fraction of the range."""


def work_rows(n: int) -> int:
    """Return the rows of `work` that the screens need for `n` frames."""
    return _LANES + 2 * n + 1


@njit(error_model="numpy")
def _deviations(d, bottom, top, total, squares):
    """Replace `squares` by the standard deviations of the samples drawn in, less the margin."""
    n, size = d.shape
    total[:] = 0
    squares[:] = 0
    for f in range(n):
        x = d[f]
        for p in range(size):
            v = min(max(x[p], bottom[p]), top[p])
            total[p] += v
            squares[p] += v * v
    for p in range(size):
        variance = (squares[p] - total[p] * total[p] / np.float32(n)) / np.float32(n - 1)
        squares[p] = np.sqrt(max(variance, np.float32(0))) * MARGIN


@njit(error_model="numpy")
def sigma(d, low, high, work, active) -> None:
    """Mark the pixels with a sample beyond `low` or `high` standard deviations."""
    n, size = d.shape
    bottom, top, lower, upper = d[0], d[n - 1], d[(n - 1) // 2], d[n // 2]
    deviation = work[1]
    _deviations(d, bottom, top, work[0], deviation)
    for p in range(size):
        median = np.float32(0.5) * (lower[p] + upper[p])
        active[p] = (median - bottom[p] > low * deviation[p]) | (
            top[p] - median > high * deviation[p]
        )


@njit(error_model="numpy")
def _spreads_sn(d, network, inner, spread):
    """Write 1.1926 Sn of each pixel to `spread`; see `rejections.spread_sn`.

    `inner` is room, ``[frames + 1, pixels]``.
    """
    n, size = d.shape
    reach = n // 2
    for i in range(n):
        here, out = d[i], inner[i]
        out[:] = np.inf
        for a in range(max(0, i - reach), min(i, n - 1 - reach) + 1):
            below, above = d[a], d[a + reach]
            for p in range(size):
                out[p] = min(out[p], max(here[p] - below[p], above[p] - here[p]))
    tiles.sort(inner, network, np.float32(np.inf))
    factor, low_median = np.float32(SN_FACTOR * sn_correction(n)), inner[(n + 1) // 2 - 1]
    for p in range(size):
        spread[p] = factor * low_median[p]


@njit(error_model="numpy")
def _draw_in(drawn, location, spread, cutoff):
    """Draw samples in to 1.5 spreads, and to the location what lies beyond the cutoff."""
    clamp = np.float32(WINSOR_CLAMP)
    for f in range(drawn.shape[0]):
        x = drawn[f]
        for p in range(x.shape[0]):
            reach, off = clamp * spread[p], x[p] - location[p]
            inside = min(max(off, -reach), reach)
            far = (abs(off) > reach) & (abs(off) >= cutoff * spread[p])
            x[p] = location[p] + (np.float32(0) if far else inside)


@njit(error_model="numpy")
def winsorized(d, low, high, cutoff, network, work, active) -> None:
    """Mark the pixels that winsorised clipping may touch, by location and spread in few digits.

    Where these are too few to tell whether the spread has settled, it is looked at both ways.
    """
    n, size = d.shape
    location, spread, settled, total, power = work[0], work[1], work[2], work[3], work[4]
    inner, drawn = work[_LANES : _LANES + n + 1], work[_LANES + n + 1 : _LANES + 2 * n + 1]
    one, tolerance = np.float32(1), np.float32(WINSOR_TOLERANCE)
    doubt = np.float32(4 * n) * _ROUNDING
    _spreads_sn(d, network, inner, spread)
    lower, upper, bottom, top = d[(n - 1) // 2], d[n // 2], d[0], d[n - 1]
    for p in range(size):
        location[p] = np.float32(0.5) * (lower[p] + upper[p])
        # Without spread in so few digits there may yet be some.
        active[p] = (spread[p] == 0) & (bottom[p] < top[p])
        settled[p] = one if spread[p] == 0 else np.float32(0)
    tiles.copy(d, drawn)
    for rounds in range(_ROUNDS):
        _draw_in(drawn, location, spread, cutoff if cutoff > 0 else np.float32(np.inf))
        _add_squares(drawn, total, power)
        going = 0
        for p in range(size):
            if settled[p] == 0:
                mean = total[p] / np.float32(n)
                variance = (power[p] - mean * total[p]) / np.float32(n - 1)
                before, location[p] = spread[p], mean
                spread[p] = np.float32(WINSOR_CORRECTION) * np.sqrt(max(variance, np.float32(0)))
                change = abs(before - spread[p])
                if rounds > 0 and change <= (tolerance + doubt) * before:
                    limit = spread[p] * MARGIN
                    active[p] |= (mean - bottom[p] > low * limit) | (top[p] - mean > high * limit)
                    settled[p] = one if change < (tolerance - doubt) * before else np.float32(0)
                going += int(settled[p] == 0)
        if going == 0:
            break
    for p in range(size):
        active[p] |= settled[p] == 0


@njit(error_model="numpy")
def _add_squares(x, total, power):
    """Write the sums of the samples of each pixel and of their squares."""
    total[:] = 0
    power[:] = 0
    for f in range(x.shape[0]):
        y = x[f]
        for p in range(total.shape[0]):
            total[p] += y[p]
            power[p] += y[p] * y[p]


@njit(error_model="numpy")
def siril_winsorized(d, low, high, integers, work, active) -> None:
    """Mark the pixels that Siril's winsorised clipping may touch.

    With c the spread at which the outermost sample would just be kept: the wider the limits, the
    larger the spread of the samples drawn in. If drawing in at c gives at least c, so does every
    round that begins at c or above, and the spread never gets below it.
    """
    n, size = d.shape
    bottom, top, lower, upper = d[0], d[n - 1], d[(n - 1) // 2], d[n // 2]
    critical, lowest, highest, total, deviation = work[0], work[1], work[2], work[3], work[4]
    one, half = np.float32(1), np.float32(0.5)
    clamp, margin = np.float32(WINSOR_CLAMP * (1.0 - 1e-5)), one / MARGIN
    _deviations(d, bottom, top, total, deviation)
    for p in range(size):
        median = half * (lower[p] + upper[p])
        c = max((median - bottom[p]) / low, (top[p] - median) / high) * margin
        # Not even the deviation from which Siril starts may be below.
        critical[p] = c if deviation[p] >= c else np.float32(np.inf)
        lowest[p], highest[p] = median - clamp * c, median + clamp * c
        if integers:
            lowest[p] = np.floor(lowest[p] + half)
            highest[p] = np.floor(highest[p] + half)
    _deviations(d, lowest, highest, total, deviation)
    for p in range(size):
        active[p] = not np.float32(WINSOR_CORRECTION) * deviation[p] >= critical[p]


@njit(error_model="numpy")
def siril_linear_fit(d, low, high, work, active) -> None:
    """Mark the pixels that Siril's linear fit clipping may touch: those of its first line."""
    n, size = d.shape
    slope, level, least, most, spread = work[0], work[1], work[2], work[3], work[4]
    one, middle = np.float32(1), np.float32(0.5 * (n - 1))
    slope[:] = 0
    level[:] = 0
    for f in range(n):
        x, place = d[f], np.float32(f) - middle
        for p in range(size):
            level[p] += x[p]
            slope[p] += place * x[p]
    for p in range(size):
        slope[p] *= np.float32(12.0 / (n * (n * n - 1.0)))
        level[p] *= np.float32(1.0 / n)
        least[p], most[p], spread[p] = 0, 0, 0
    for f in range(n):
        x, place = d[f], np.float32(f) - middle
        for p in range(size):
            residual = x[p] - (level[p] + slope[p] * place)
            spread[p] += abs(residual)
            least[p] = min(least[p], residual)
            most[p] = max(most[p], residual)
    bottom, top = d[0], d[n - 1]
    for p in range(size):
        mean = spread[p] * np.float32(1.0 / n) * MARGIN
        error = _ROUNDING * np.float32(n) * (top[p] - bottom[p])
        active[p] = (error * (one + low) - least[p] > low * mean) | (
            error * (one + high) + most[p] > high * mean
        )
