"""The rejection methods as compiled functions of one type, which the kernels can call.

Each is compiled when it is first asked for: a run compiles only what it uses.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202, ARG001

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numba import boolean, float32, float64, int8, int64, njit, types, void

from calibrary.integrate import rejections, screens, siril
from calibrary.integrate.compiling import compile_once

# Places in the array of parameters.
LOW: Final = 0
HIGH: Final = 1
CUTOFF: Final = 2
FULL_SCALE: Final = 3
INTEGERS: Final = 4
ZERO_IS_MISSING: Final = 5
PARAMETERS: Final = 6

# How a kernel goes about it.
KEEP_ALL: Final = 0
TAKE_MEDIAN: Final = 1
SCREENED: Final = 2
"""Only the pixels that a screen marks are looked at."""
EVERY_PIXEL: Final = 3
POOLED: Final = 4
"""Every pixel, with the noise ratio of its row."""

SIGNATURE = void(
    float64[:, ::1], int64, int64, float64[::1], float64[::1], float64, float64[::1], int8[:, ::1]
)
"""Sorted samples ``[n, room]``, number of pixels in it, number of frames, parameters, critical
values, noise ratio of the row, room for the samples of a pixel; marks ``[n, room]``, all 0, to be
set to -1 for rejected low and 1 for rejected high."""
METHOD_TYPE = types.FunctionType(SIGNATURE)
SCREEN_SIGNATURE = void(float32[:, ::1], float64[::1], float32[:, ::1], boolean[::1])
"""See `screens`."""
SCREEN_TYPE = types.FunctionType(SCREEN_SIGNATURE)


@njit
def _column(y, p, column):
    """Copy the samples of one pixel to where they lie side by side."""
    x = column[: y.shape[0]]
    for k in range(len(x)):
        x[k] = y[k, p]
    return x


@njit
def _mark(marks, p, kept):
    for k in range(kept[0]):
        marks[k, p] = -1
    for k in range(kept[1], marks.shape[0]):
        marks[k, p] = 1


def keep_all(y, count, total, par, critical, ratio, column, marks) -> None:
    """Reject nothing."""


def minmax(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `rejections.minmax`."""
    for p in range(count):
        _mark(marks, p, rejections.minmax(_column(y, p, column), par[LOW], par[HIGH]))


def percentile(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `rejections.percentile`."""
    for p in range(count):
        _mark(marks, p, rejections.percentile(_column(y, p, column), par[LOW], par[HIGH]))


def sigma(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `rejections.sigma`."""
    for p in range(count):
        _mark(marks, p, rejections.sigma(_column(y, p, column), par[LOW], par[HIGH]))


def winsorized(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `rejections.winsorized`."""
    for p in range(count):
        x = _column(y, p, column)
        _mark(marks, p, rejections.winsorized(x, par[LOW], par[HIGH], par[CUTOFF]))


def averaged_sigma(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `rejections.averaged_sigma`."""
    for p in range(count):
        x = _column(y, p, column)
        _mark(marks, p, rejections.averaged_sigma(x, par[LOW], par[HIGH], ratio))


def esd(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `rejections.esd`."""
    for p in range(count):
        _mark(marks, p, rejections.esd(_column(y, p, column), critical))


def linear_fit(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `rejections.linear_fit`."""
    for p in range(count):
        x = _column(y, p, column)
        rejections.linear_fit(x, par[LOW], par[HIGH], par[FULL_SCALE], marks[:, p])


def siril_sigma(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `siril.sigma`."""
    siril.sigma(y, count, par[LOW], par[HIGH], marks)


def siril_winsorized(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `siril.winsorized`."""
    siril.winsorized(y, count, par[LOW], par[HIGH], par[INTEGERS] != 0.0, marks)


def siril_linear_fit(y, count, total, par, critical, ratio, column, marks) -> None:
    """See `siril.linear_fit`."""
    siril.linear_fit(y, count, par[LOW], par[HIGH], total, marks)


def no_screen(d, par, work, active) -> None:
    """Mark nothing; for methods without a screen, never called."""


def sigma_screen(d, par, work, active) -> None:
    """See `screens.sigma`."""
    screens.sigma(d, np.float32(par[LOW]), np.float32(par[HIGH]), work, active)


def siril_winsorized_screen(d, par, work, active) -> None:
    """See `screens.siril_winsorized`."""
    low, high = np.float32(par[LOW]), np.float32(par[HIGH])
    screens.siril_winsorized(d, low, high, par[INTEGERS] != 0.0, work, active)


def siril_linear_fit_screen(d, par, work, active) -> None:
    """See `screens.siril_linear_fit`."""
    screens.siril_linear_fit(d, np.float32(par[LOW]), np.float32(par[HIGH]), work, active)


METHODS: Final = {
    ("none", False): (KEEP_ALL, keep_all, no_screen),
    ("minmax", False): (EVERY_PIXEL, minmax, no_screen),
    ("percentile", False): (EVERY_PIXEL, percentile, no_screen),
    ("sigma", False): (SCREENED, sigma, sigma_screen),
    ("winsorized", False): (EVERY_PIXEL, winsorized, no_screen),
    ("averaged_sigma", False): (POOLED, averaged_sigma, no_screen),
    ("linear_fit", False): (EVERY_PIXEL, linear_fit, no_screen),
    ("esd", False): (EVERY_PIXEL, esd, no_screen),
    ("median", False): (TAKE_MEDIAN, keep_all, no_screen),
    ("sigma", True): (SCREENED, siril_sigma, sigma_screen),
    ("winsorized", True): (SCREENED, siril_winsorized, siril_winsorized_screen),
    ("linear_fit", True): (SCREENED, siril_linear_fit, siril_linear_fit_screen),
}
"""By name and whether it is Siril's definition; what Siril does alike stands here once."""


@cache
def compiled_method(name: str, of_siril: bool) -> tuple[int, Any, Any]:
    """Return how a kernel goes about a method, the method and its screen, compiled."""
    mode, function, screen = METHODS.get((name, of_siril)) or METHODS[name, False]
    return mode, compile_once(SIGNATURE)(function), compile_once(SCREEN_SIGNATURE)(screen)
