"""The rejection methods as compiled functions of one type, which the kernels can call.

Each is compiled when it is first asked for: a run compiles only what it uses.
"""
# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, ARG001

from __future__ import annotations

from functools import cache
from typing import Any, Final

from numba import float64, int8, int64, njit, types, void

from calibrary.integrate import rejections, siril
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
"""Only pixels in which sigma clipping may reject something are looked at."""
EVERY_PIXEL: Final = 3
POOLED: Final = 4
"""Every pixel, with the noise ratio of its row."""

SIGNATURE = void(float64[::1], int64, float64[::1], float64[::1], float64, int8[::1])
"""Sorted samples, number of frames, parameters, critical values, noise ratio of the row; marks,
all 0, to be set to -1 for rejected low and 1 for rejected high."""
METHOD_TYPE = types.FunctionType(SIGNATURE)


@njit
def _mark(marks, first, end):
    marks[:first] = -1
    marks[end:] = 1


def keep_all(x, total, par, critical, ratio, marks) -> None:
    """Reject nothing."""


def minmax(x, total, par, critical, ratio, marks) -> None:
    """See `rejections.minmax`."""
    first, end = rejections.minmax(x, par[LOW], par[HIGH])
    _mark(marks, first, end)


def percentile(x, total, par, critical, ratio, marks) -> None:
    """See `rejections.percentile`."""
    first, end = rejections.percentile(x, par[LOW], par[HIGH])
    _mark(marks, first, end)


def sigma(x, total, par, critical, ratio, marks) -> None:
    """See `rejections.sigma`."""
    first, end = rejections.sigma(x, par[LOW], par[HIGH])
    _mark(marks, first, end)


def winsorized(x, total, par, critical, ratio, marks) -> None:
    """See `rejections.winsorized`."""
    first, end = rejections.winsorized(x, par[LOW], par[HIGH], par[CUTOFF])
    _mark(marks, first, end)


def averaged_sigma(x, total, par, critical, ratio, marks) -> None:
    """See `rejections.averaged_sigma`."""
    first, end = rejections.averaged_sigma(x, par[LOW], par[HIGH], ratio)
    _mark(marks, first, end)


def esd(x, total, par, critical, ratio, marks) -> None:
    """See `rejections.esd`."""
    first, end = rejections.esd(x, critical)
    _mark(marks, first, end)


def linear_fit(x, total, par, critical, ratio, marks) -> None:
    """See `rejections.linear_fit`."""
    rejections.linear_fit(x, par[LOW], par[HIGH], par[FULL_SCALE], marks)


def siril_sigma(x, total, par, critical, ratio, marks) -> None:
    """See `siril.sigma`."""
    siril.sigma(x, par[LOW], par[HIGH], marks)


def siril_winsorized(x, total, par, critical, ratio, marks) -> None:
    """See `siril.winsorized`."""
    siril.winsorized(x, par[LOW], par[HIGH], par[INTEGERS] != 0.0, marks)


def siril_linear_fit(x, total, par, critical, ratio, marks) -> None:
    """See `siril.linear_fit`."""
    siril.linear_fit(x, par[LOW], par[HIGH], total, marks)


METHODS: Final = {
    ("none", False): (KEEP_ALL, keep_all),
    ("minmax", False): (EVERY_PIXEL, minmax),
    ("percentile", False): (EVERY_PIXEL, percentile),
    ("sigma", False): (SCREENED, sigma),
    ("winsorized", False): (EVERY_PIXEL, winsorized),
    ("averaged_sigma", False): (POOLED, averaged_sigma),
    ("linear_fit", False): (EVERY_PIXEL, linear_fit),
    ("esd", False): (EVERY_PIXEL, esd),
    ("median", False): (TAKE_MEDIAN, keep_all),
    ("sigma", True): (SCREENED, siril_sigma),
    ("winsorized", True): (EVERY_PIXEL, siril_winsorized),
    ("linear_fit", True): (EVERY_PIXEL, siril_linear_fit),
}
"""By name and whether it is Siril's definition; what Siril does alike stands here once."""


@cache
def compiled_method(name: str, of_siril: bool) -> tuple[int, Any]:
    """Return how a kernel goes about a method, and the method, compiled."""
    mode, function = METHODS.get((name, of_siril)) or METHODS[name, False]
    return mode, compile_once(SIGNATURE)(function)
