"""The rejection methods by name, for the kernels to choose from.

A kernel holds a family of them and chooses by number, which costs nothing beside the work. With
all methods in one kernel the first run on a machine would compile for half a minute, and two of
three methods for nothing; with a kernel for each method there would be two dozen of them.
"""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN401

from __future__ import annotations

from typing import Any, Final

import numpy as np

from calibrary.integrate import (
    absolute_lines,
    lines,
    rejections,
    screens,
    siril,
    siril_lines,
    winsorizing,
)
from calibrary.integrate.compiling import top_level

NONE: Final = 0
MEDIAN: Final = 1
MINMAX: Final = 2
PERCENTILE: Final = 3
SIGMA: Final = 4
WINSORIZED: Final = 5
AVERAGED_SIGMA: Final = 6
LINEAR_FIT: Final = 7
ESD: Final = 8
SIRIL_SIGMA: Final = 9
SIRIL_WINSORIZED: Final = 10
SIRIL_LINEAR_FIT: Final = 11

NUMBERS: Final = {
    ("none", False): NONE,
    ("median", False): MEDIAN,
    ("minmax", False): MINMAX,
    ("percentile", False): PERCENTILE,
    ("sigma", False): SIGMA,
    ("winsorized", False): WINSORIZED,
    ("averaged_sigma", False): AVERAGED_SIGMA,
    ("linear_fit", False): LINEAR_FIT,
    ("esd", False): ESD,
    ("sigma", True): SIRIL_SIGMA,
    ("winsorized", True): SIRIL_WINSORIZED,
    ("linear_fit", True): SIRIL_LINEAR_FIT,
}
"""By name and whether it is Siril's definition; what Siril does alike stands here once."""

PLAIN: Final = 0
WINSORIZING: Final = 1
LINES: Final = 2
OF_SIRIL: Final = 3
_FAMILIES: Final = {
    WINSORIZED: WINSORIZING,
    LINEAR_FIT: LINES,
    SIRIL_SIGMA: OF_SIRIL,
    SIRIL_WINSORIZED: OF_SIRIL,
    SIRIL_LINEAR_FIT: OF_SIRIL,
}
"""Of the methods that are not plain."""

# Places in the array of parameters.
LOW: Final = 0
HIGH: Final = 1
CUTOFF: Final = 2
FULL_SCALE: Final = 3
INTEGERS: Final = 4
ZERO_IS_MISSING: Final = 5
PARAMETERS: Final = 6


def number_of(name: str, of_siril: bool) -> int:
    """Return the number of a method."""
    return NUMBERS.get((name, of_siril), NUMBERS[name, False])


def family_of(number: int) -> int:
    """Return the family of a method."""
    return _FAMILIES.get(number, PLAIN)


@top_level
def reject(family, rule, x, total, ratio, room, marks) -> Any:
    """Return the range of sorted samples that a method keeps; see `rejections`.

    Parameters
    ----------
    family
        A constant: only its methods are compiled.
    rule
        Number of the method, its parameters, its critical values.
    total
        Number of frames, whatever the number of samples.
    ratio
        Noise ratio of the row; see `rejections.averaged_sigma`.
    """
    method, par, critical = rule
    low, high = par[LOW], par[HIGH]
    if family == WINSORIZING:
        return rejections.winsorized(x, low, high, par[CUTOFF], room)
    if family == LINES:
        return lines.linear_fit(x, low, high, par[FULL_SCALE], room, marks)
    if family == OF_SIRIL:
        if method == SIRIL_SIGMA:
            return siril.sigma(x, low, high, marks)
        if method == SIRIL_WINSORIZED:
            return siril.winsorized(x, low, high, par[INTEGERS] != 0.0, marks)
        return siril.linear_fit(x, low, high, total, room, marks)
    if method == MINMAX:
        return rejections.minmax(x, low, high)
    if method == PERCENTILE:
        return rejections.percentile(x, low, high)
    if method == SIGMA:
        return rejections.sigma(x, low, high)
    if method == AVERAGED_SIGMA:
        return rejections.averaged_sigma(x, low, high, ratio)
    if method == ESD:
        return rejections.esd(x, critical)
    return 0, len(x)


@top_level
def screen(family, rule, d, network, rooms, places, active, first, end) -> None:
    """Find what pixels of a sorted tile keep, or mark those that a method has to look at.

    See `screens`.
    """
    method, par, _ = rule
    work, lanes, more = rooms
    low, high, exact = np.float32(par[LOW]), np.float32(par[HIGH]), par[INTEGERS] != 0.0
    active[:] = False
    if method == MINMAX:
        first[:], end[:] = rejections.minmax(d[:, 0], par[LOW], par[HIGH])
    elif d.shape[0] <= 2:
        active[:] = method == PERCENTILE
    elif family == WINSORIZING:
        cutoff = np.float32(par[CUTOFF])
        winsorizing.winsorized(
            d, low, high, cutoff, exact, network, places, (lanes, more), active, first, end
        )
    elif family == LINES:
        scale = np.float32(par[FULL_SCALE])
        absolute_lines.linear_fit(
            d, low, high, scale, exact, network, places, work, (lanes, more), active, first, end
        )
    elif method in (SIGMA, SIRIL_SIGMA):
        screens.sigma(d, low, high, work, active)
    elif family == OF_SIRIL:
        if method == SIRIL_WINSORIZED:
            screens.siril_winsorized(d, low, high, exact, work, active)
        else:
            screens.siril_linear_fit(d, low, high, work, active)
            siril_lines.linear_fit(d, low, high, places, lanes, active, first, end)
    else:
        active[:] = method not in (NONE, MEDIAN)
